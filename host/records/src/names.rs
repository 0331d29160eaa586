//! Names of folders do not stay in the log: they are kept with the content of the event, under the key of its task, and
//! put back when the event is read. What is done outside of a task has no such key and keeps its names.

use deskhand_vocabulary::{Event, TaskId};
use serde_json::{Map, Value};

const KEY: &str = "folder";

fn folder(event: &mut Event) -> Option<&mut String> {
    let Event::Decided { action, .. } = event else { return None };
    action.folder_mut()
}

/// An event without the names that it holds, and its content with them.
pub(crate) fn split(task: Option<TaskId>, mut event: Event, content: Option<Value>) -> (Event, Option<Value>) {
    if task.is_none() {
        return (event, None);
    }
    let Some(name) = folder(&mut event).map(std::mem::take) else { return (event, content) };
    let mut content = match content {
        Some(Value::Object(content)) => content,
        _ => Map::new(),
    };
    content.insert(KEY.to_owned(), Value::String(name));
    (event, Some(Value::Object(content)))
}

/// An event with its names again, as far as its content still holds them.
pub(crate) fn join(event: &mut Event, content: Option<&Value>) {
    if let Some(place) = folder(event)
        && place.is_empty()
        && let Some(Value::String(name)) = content.and_then(|content| content.get(KEY))
    {
        place.clone_from(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskhand_vocabulary::{Action, Principal};

    fn decided(folder: &str) -> Event {
        let action = Action::ReadFolder { folder: folder.to_owned() };
        Event::Decided { principal: Principal::Person, action, allowed: true, rule: "grant".to_owned() }
    }

    #[test]
    fn a_name_leaves_the_event_and_comes_back() {
        let (mut event, content) = split(Some(TaskId(1)), decided("/home/ada/letters"), None);
        assert_eq!((&event, &content), (&decided(""), &Some(serde_json::json!({"folder": "/home/ada/letters"}))));
        join(&mut event, content.as_ref());
        assert_eq!(event, decided("/home/ada/letters"));
    }

    #[test]
    fn without_a_task_there_is_nowhere_else_to_keep_it() {
        assert_eq!(split(None, decided("/srv"), None), (decided("/srv"), None));
    }
}
