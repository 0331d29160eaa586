//! `deskhand resume` and `deskhand run --continue`: going on with a task.

use crate::{
    agent::{self, Asked, How, Reached, Said, Spec},
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    mcp, output,
    person::print_json,
    show::line,
    task::{known, outcome},
};
use deskhand_agent::is_over;
use deskhand_vocabulary::{TaskId, text::shortened};
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
    if agent::is_at_work(&desk.home, task) {
        return let_go_on(&desk, task, options);
    }
    desk.stop_on_interrupt();
    desk.recover()?;
    if let Some(client) = mcp::Client::of(records, task)? {
        return mcp::go_on(&desk, task, &client, options);
    }
    let mut spec = Spec::of(records, task)?;
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
    go_on(&desk, task, &spec, &said, &options.answers, options.agent.plain)
}

/// Follow up on a task with a new request.
pub(crate) fn follow(desk: &Desk, task: TaskId, request: String, options: &cli::Run) -> Result {
    let mut spec = Spec::of(desk.records()?, task)?;
    spec.limits = agent::with_limits(spec.limits, &options.agent.budget);
    let attachment = crate::attachment::piped()?;
    crate::outgoing::grant_hosts(desk, task, &options.host)?;
    let said = Said { words: Some(request), attachment };
    go_on(desk, task, &spec, &said, &options.answers, options.agent.plain)
}

fn go_on(desk: &Desk, task: TaskId, spec: &Spec, said: &Said, answers: &cli::Answers, plain: bool) -> Result {
    // the grants of a task end with it; whoever goes on with it grants its folders once more
    let over = outcome(desk.records()?, task)?;
    let granted = over.is_some().then_some(deskhand_permissions::Duration::Task(task));
    let how = How { standing: answers.standing(), granted, plain };
    agent::work(desk, task, spec, said, &how, true)
}

/// The last task that can go on.
fn last(desk: &Desk) -> Result<TaskId> {
    let known = known(desk.records()?, 1000)?;
    let open = known.into_iter().find(|known| known.open && !agent::is_at_work(&desk.home, known.task.id));
    open.map(|known| known.task.id).ok_or_else(|| {
        Failure::usage("there is no task that was broken off or waits. Follow up on one that is over with: deskhand run --continue TASK REQUEST")
    })
}

fn let_go_on(desk: &Desk, task: TaskId, options: &cli::Resume) -> Result {
    let words = options.words.join(" ");
    if !words.is_empty() {
        agent::reach(&desk.home, task, &Asked::Say { words })?;
    }
    match agent::reach(&desk.home, task, &Asked::Resume)? {
        Reached::Told(_) if options.json => print_json("steered", &json!({"task": task, "done": true})),
        Reached::Told(_) => output::text(&format!("Task {task} goes on where it runs.\n")),
        Reached::NotAtWork => {
            return Err(Failure::failed(format!(
                "task {task} has ended just now. See it with: deskhand log --task {task}"
            )));
        }
    }
    Ok(Exit::Done)
}
