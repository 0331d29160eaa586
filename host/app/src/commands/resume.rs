//! `deskhand resume` and `deskhand run --continue`: going on with a task.

use crate::{
    agent::{self, Asked, Errand, How, Owner, Reached, Said, Spec},
    background, cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    mcp, output,
    person::print_json,
    show::line,
    task::{known, outcome},
};
use deskhand_agent::is_over;
use deskhand_vocabulary::{Entry, Event, Log as _, TaskId, text::shortened};
use serde_json::json;

/// So much of a request is shown of a task that was not named, in characters.
const REQUEST: usize = 60;

pub(crate) fn run(options: &cli::Resume) -> Result {
    let desk = Desk::open(options.json)?;
    let records = desk.records()?;
    let task = match options.task {
        Some(task) => task,
        None => last(&desk)?,
    };
    // one that is held goes on; what is said with it is heard first
    if let Some(exit) = let_go_on(&desk, task, options)? {
        return Ok(exit);
    }
    desk.stop_on_interrupt();
    desk.recover()?;
    if let Some(client) = mcp::Client::of(records, task)? {
        return mcp::go_on(&desk, task, &client, options);
    }
    let mut spec = Spec::of(records, task)?;
    agent::hold(&desk, spec.model.as_deref(), &options.agent.budget)?;
    spec.limits = agent::with_limits(spec.limits, &options.agent.budget);
    let words = Some(options.words.join(" ")).filter(|words| !words.is_empty());
    let over = outcome(records, task)?.filter(|outcome| is_over(outcome));
    if let (Some(outcome), None) = (over, &words) {
        return Err(Failure::usage(format!(
            "task {task} is over ({outcome}), and nothing is left to go on with. Follow up on it with: deskhand run --continue {task} REQUEST"
        )));
    }
    if options.task.is_none() && !desk.json {
        output::aside(&format!("Going on with task {task}: {}", line(&shortened(&spec.request, REQUEST))));
    }
    let said = Said { words, attachment: None };
    go_on(&desk, task, &spec, said, &options.answers, options.agent.plain)
}

/// Follow up on a task with a new request.
pub(crate) fn follow(desk: &Desk, task: TaskId, request: String, options: &cli::Run) -> Result {
    let mut spec = Spec::of(desk.records()?, task)?;
    agent::hold(desk, spec.model.as_deref(), &options.agent.budget)?;
    spec.limits = agent::with_limits(spec.limits, &options.agent.budget);
    let attachment = crate::attachment::piped()?;
    crate::outgoing::grant_hosts(desk, task, &options.host)?;
    if options.background {
        let errand = Errand::following(request, attachment, options.answers.standing());
        return background::queue_again(desk, task, &errand, options);
    }
    let said = Said { words: Some(request), attachment };
    go_on(desk, task, &spec, said, &options.answers, options.agent.plain)
}

fn go_on(desk: &Desk, task: TaskId, spec: &Spec, said: Said, answers: &cli::Answers, plain: bool) -> Result {
    let owner = Owner::of(&desk.home, task)?;
    let records = desk.records()?;
    // read while it is held: nobody else begins with it now
    let (said, begun) = agent::unsaid(records, task, spec, said)?;
    if deskhand_tasks::queue::of(records, task)?.is_some() {
        records.append(Entry { task: Some(task), event: Event::TaskUnqueued, content: None })?;
    }
    // the grants of a task end with it; whoever goes on with it grants its folders once more
    let over = outcome(desk.records()?, task)?;
    let granted = over.is_some().then_some(deskhand_permissions::Duration::Task(task));
    let how = How { standing: answers.standing(), granted, plain, screen: None };
    agent::work(desk, &owner, spec, &said, &how, begun)
}

/// The last task that can go on.
fn last(desk: &Desk) -> Result<TaskId> {
    let records = desk.records()?;
    let all = known(records, 1000)?;
    // what waits for its turn goes on by itself
    let queued = |task| deskhand_tasks::queue::of(records, task).is_ok_and(|waiting| waiting.is_some());
    let rests = |task| !agent::is_at_work(&desk.home, task) && !queued(task);
    let open = all.into_iter().find(|known| known.open && rests(known.task.id));
    open.map(|known| known.task.id).ok_or_else(|| {
        Failure::usage("there is no task that was broken off or waits. Follow up on one that is over with: deskhand run --continue TASK REQUEST")
    })
}

/// Have a task that is at work go on; nothing where none is, for then it goes on here.
fn let_go_on(desk: &Desk, task: TaskId, options: &cli::Resume) -> Result<Option<Exit>> {
    let words = options.words.join(" ");
    if !words.is_empty()
        && let Reached::NotAtWork = agent::reach(&desk.home, task, &Asked::Say { words })?
    {
        return Ok(None);
    }
    match agent::reach(&desk.home, task, &Asked::Resume)? {
        Reached::Told(_) if options.json => print_json("steered", &json!({"task": task, "done": true})),
        Reached::Told(_) => output::text(&format!("Task {task} goes on where it runs.\n")),
        Reached::NotAtWork => return Ok(None),
    }
    Ok(Some(Exit::Done))
}
