//! `deskhand log`

use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    screen::titled,
    show::{self, columns, count, counted, line},
    transcript,
};
use deskhand_records::{Filter, Recorded, RecordsError, Verification, to_json_line};
use deskhand_vocabulary::{Access, CommitId, EventId, Principal, TaskId};
use deskhand_workspace::History;

pub(crate) fn run(options: &cli::Log) -> Result {
    let desk = Desk::open_whatever(options.json.json)?;
    let records = desk.records()?;
    if let Some(task) = options.forget {
        return forget(&desk, task, options.yes);
    }
    if options.verify {
        return match records.verify()? {
            Verification::Whole { events } => {
                let unknown = History::new(&desk.home).unrecorded().map_err(Failure::failed)?;
                if !unknown.is_empty() {
                    return Err(Failure::failed(format!(
                        "What stands in the log is as it was written ({}), but it lacks {}. {LACKS}",
                        counted(events, "event"),
                        lacked(&unknown)
                    )));
                }
                output::text(&format!("The log is whole: {events} events, none changed, removed or put in between.\n"));
                Ok(Exit::Done)
            }
            broken => Err(Failure::failed(broken)),
        };
    }
    if let Some(task) = options.task
        && records.task(task)?.is_none()
    {
        return Err(RecordsError::Unknown { what: "task", id: task.0, list: "log" }.into());
    }
    // the newest so many, but in the order in which they happened
    let newest_first = options.limit > 0 && options.after.is_none();
    // one more tells whether there is more
    let limit = if newest_first { options.limit.saturating_add(1) } else { options.limit };
    let filter = Filter {
        task: options.task,
        after: options.after.map(EventId),
        limit: (limit > 0).then_some(limit),
        backwards: newest_first,
        ..Filter::default()
    };
    if newest_first {
        let mut events = records.events(filter).collect::<std::result::Result<Vec<_>, _>>()?;
        let more = events.len() as u64 > options.limit;
        if more {
            events.pop();
        }
        events.reverse();
        print(&desk, &events);
        if more && !desk.json {
            output::aside("Older events are left out; see more with --limit, or all with --limit 0.");
        }
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    for event in records.events(filter) {
        page.push(event?);
        if page.len() == 256 {
            print(&desk, &std::mem::take(&mut page));
        }
    }
    print(&desk, &page);
    Ok(Exit::Done)
}

/// Why a log may lack commits, and what to do.
pub(super) const LACKS: &str = "The log was deleted or replaced since. Put the former one back if you have it; what was done can be seen and undone all the same: deskhand history";

/// Commits that the log knows nothing of.
pub(super) fn lacked(commits: &[CommitId]) -> String {
    let numbers: Vec<String> = commits.iter().map(ToString::to_string).collect();
    format!("{} that journals hold: {}", counted(commits.len() as u64, "commit"), numbers.join(", "))
}

fn forget(desk: &Desk, task: TaskId, yes: bool) -> Result {
    let records = desk.records()?;
    let known = records.task(task)?.filter(|known| !known.forgotten);
    if let Some(known) = known {
        let asked = known.content.as_ref().and_then(|content| content["request"].as_str()).map(line);
        let asked = asked.map(|asked| format!(" (“{asked}”)")).unwrap_or_default();
        let question = format!(
            "Destroy the names and contents that the log keeps of task {task}{asked}? They cannot be brought back."
        );
        if let Some(exit) = desk.confirm(question, "nothing was destroyed", yes)? {
            return Ok(exit);
        }
    }
    transcript::forget(desk, task)?;
    output::text(&format!(
        "The names and contents that the log kept of task {task} are destroyed. That it happened stays on record. What undo needs of it (your request, the names of what it changed, old versions) stays until you give it up: deskhand purge --names --commit NUMBER\n"
    ));
    Ok(Exit::Done)
}

fn print(desk: &Desk, events: &[Recorded]) {
    if desk.json {
        output::text(&events.iter().map(|event| format!("{}\n", to_json_line(event))).collect::<String>());
        return;
    }
    let rows: Vec<Vec<String>> = events
        .iter()
        .map(|event| {
            let at = event.at.to_zoned(desk.clock.zone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
            let task = event.task.map(|task| format!("task {task}")).unwrap_or_default();
            vec![event.id.0.to_string(), at, task, said(event)]
        })
        .collect();
    output::text(&columns(&rows));
}

/// An event in a few words.
pub(crate) fn said(recorded: &Recorded) -> String {
    use deskhand_vocabulary::Event::*;
    let content =
        |key: &str| recorded.content.as_ref().and_then(|content| content[key].as_str()).map(line).unwrap_or_default();
    match &recorded.event {
        TaskStarted => format!("asked: {}", content("request")),
        CommandChosen { plugin, command, reason } => format!("chose /{command} of {plugin}: {}", line(reason)),
        Decided { principal, action, allowed, rule } => {
            let who = match principal {
                Principal::Person => "you".to_owned(),
                Principal::Plugin(plugin) => plugin.to_string(),
                Principal::Agent | Principal::Client(_) | Principal::Server(_) => principal.to_string(),
            };
            let may = if *allowed { "may" } else { "may not" };
            format!("{who} {may} {} (rule `{rule}`)", line(&deskhand_permissions::words(action)))
        }
        CallStarted { plugin, role, name, .. } => {
            let what = if role == "command" { format!("/{name}") } else { format!("the tool {name}") };
            format!("{what} of {plugin} begins")
        }
        CallEnded { plugin, outcome, micros } if outcome == "ok" => {
            format!("{plugin} has finished, after {} ms", micros / 1000)
        }
        CallEnded { plugin, outcome, micros } => {
            format!("{plugin} ended without success ({}), after {} ms", line(outcome), micros / 1000)
        }
        PluginLogged { plugin, level } => format!("{plugin} logs ({level}): {}", content("message")),
        Proposed { changes, removals: 0, .. } => format!("a plan of {} was shown", counted(*changes, "change")),
        Proposed { changes, removals, .. } => {
            format!(
                "a plan of {}, {} among them, was shown",
                counted(*changes, "change"),
                counted(*removals, "removal")
            )
        }
        CommitStarted { commit, changes, .. } => format!("commit {commit} begins: {}", counted(*changes, "change")),
        CommitEnded { commit, outcome, applied, refused } => {
            let ended = match outcome.as_str() {
                "applied" => "is applied",
                "rolled-back" => "is taken back",
                _ => "changed nothing",
            };
            format!("commit {commit} {ended}: {} made, {} refused", counted(*applied, "change"), count(*refused))
        }
        Undone { commit, by, undone, left } => format!("commit {commit} undone by {by}: {undone} undone, {left} left"),
        Recovered { commit, outcome } => format!("commit {commit} was interrupted and is now {outcome}"),
        Purged { commits, bytes } => {
            format!("old versions of {} given up, {}", counted(commits.len() as u64, "commit"), show::bytes(*bytes))
        }
        Granted { grant, access, duration } => {
            let access = match access {
                _ if !content("command").is_empty() => format!("run {}", content("command")),
                _ if !content("tool").is_empty() => format!("call {}", content("tool")),
                Access::Read => format!("read {}", content("folder")),
                Access::Write => format!("read and change {}", content("folder")),
            };
            let duration = match duration.as_str() {
                "once" => "once",
                "task" => "for this task",
                _ => "until it is taken back",
            };
            format!("grant {grant}: {access}, {duration}")
        }
        Revoked { grant } => format!("grant {grant} is taken back"),
        Marketplace { name, change, .. } if change == "refreshed" => format!("marketplace {name} was verified anew"),
        Marketplace { name, change, .. } => format!("marketplace {name} {change}"),
        Plugin { plugin, change, version, .. } => format!("plugin {plugin} {change}: {version}"),
        Credential { plugin, credential, change, hosts } => {
            let hosts = hosts.iter().map(|host| line(host)).collect::<Vec<_>>().join(", ");
            format!("the credential {} of {plugin} {change} (for {hosts})", line(credential))
        }
        Memory { note, change, scope } => format!("note {note} is {change} (for {})", line(scope)),
        Server { server, change, micros } => {
            let why = content("reason");
            let why = if why.is_empty() { why } else { format!(": {why}") };
            match change.as_str() {
                "started" => format!("the MCP server {server} is ready, after {} ms", micros / 1000),
                "failed" => format!("the MCP server {server} could not be started{why}"),
                "wants-login" => format!("the MCP server {server} wants a login: deskhand mcp login {server}"),
                "logged-in" => format!("you logged in to the MCP server {server}"),
                "logged-out" => format!("you logged out of the MCP server {server}"),
                "changed" => format!("the MCP server {server} says that it has something else now"),
                "died" => format!("the MCP server {server} ended by itself{why}"),
                _ => format!("the MCP server {server} was stopped, after {} s", micros / 1_000_000),
            }
        }
        ServerLogged { server, level } => {
            format!("the MCP server {server} logs ({}): {}", line(level), content("message"))
        }
        Taken { by, changes, refused: 0 } => {
            format!("{} of {} in its sandbox, pending now", counted(*changes, "change"), line(by))
        }
        Taken { by, changes, refused } => {
            format!("{} of {} in its sandbox, pending now; {refused} refused", counted(*changes, "change"), line(by))
        }
        ProgramStarted { plugin, place } => {
            let words = recorded.content.as_ref().and_then(|content| content["words"].as_array());
            let words = words.into_iter().flatten().filter_map(|word| word.as_str());
            let words = words.map(line).collect::<Vec<_>>().join(" ");
            format!("{plugin} runs a program in a {}: {words}", line(place))
        }
        ProgramEnded { plugin, outcome, status, micros, changes, refused } => {
            let status = status.map_or_else(String::new, |status| format!(" with status {status}"));
            let wrote = match refused {
                0 => counted(*changes, "change"),
                refused => format!("{}, {refused} refused", counted(*changes, "change")),
            };
            format!("the program of {plugin} ended: {}{status}, {} ms, {wrote}", line(outcome), micros / 1000)
        }
        Told { by } => format!("told by the {by}"),
        ModelReplied { model, input, output, micros, .. } => {
            format!("{} replied: {input} tokens read, {output} written, {} ms", line(model), micros / 1000)
        }
        ToolCalled { tool } => {
            let arguments = recorded.content.as_ref().map_or(&serde_json::Value::Null, |content| &content["arguments"]);
            format!("called {}", titled(tool, arguments))
        }
        ToolAnswered { tool, outcome, micros } => format!("{} ended: {outcome}, {} ms", line(tool), micros / 1000),
        Sent { host, port, sent, received, ended, .. } => {
            format!("sent {sent} bytes to {}:{port}, {received} came back ({ended})", line(host))
        }
        StepsSet { steps, over } => format!("{over} of {steps} steps are over"),
        Shortened { turns } => format!("{turns} turns became a summary"),
        Elicited { question, answer } => {
            format!("whoever is at the client was asked ({}): {}", line(question), line(answer))
        }
        StepsDecided { outcome } => format!("the plan was shown: {outcome}"),
        ChangesSettled { state, applied, refused } => {
            format!("changes {state}: {} made, {} not", counted(*applied, "change"), count(*refused))
        }
        TaskParked => "task waits for you".to_owned(),
        TaskResumed => "task goes on".to_owned(),
        TaskQueued { priority } => format!("task waits for its turn ({priority} priority)"),
        TaskBegun => "task has its turn".to_owned(),
        TaskUnqueued => "you go on with the task yourself".to_owned(),
        TaskEnded { outcome } => format!("task ended: {outcome}"),
    }
}
