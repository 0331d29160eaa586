//! Whose turn it is. Pure: who waits and where others are at work goes in.

use crate::Waiting;
use deskhand_vocabulary::TaskId;
use std::collections::HashMap;

/// Remembers which folders had their turn, so that a folder with many tasks does not keep others waiting.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    /// When each folder had its last turn, counted in turns.
    last: HashMap<String, u64>,
    count: u64,
}

impl Turns {
    /// Who of these is next, where tasks are at work on `busy` folders: of the highest priority; of those, of the folder that the
    /// fewest are at work on, and that had its turn the longest ago; of those, who waits the longest.
    pub fn next<'w>(&self, waiting: &'w [Waiting], busy: &[String]) -> Option<&'w Waiting> {
        waiting.iter().min_by_key(|one| {
            let at_work = busy.iter().filter(|folder| **folder == one.folder).count();
            let turn = self.last.get(&one.folder).copied().unwrap_or(0);
            (std::cmp::Reverse(one.priority), at_work, turn, one.since)
        })
    }

    /// It was this folder's turn.
    pub fn took(&mut self, folder: &str) {
        self.count += 1;
        self.last.insert(folder.to_owned(), self.count);
    }
}

/// These in the order in which they have their turn, if nothing is at work on their folders and nobody comes in between.
pub fn order(mut waiting: Vec<Waiting>) -> Vec<TaskId> {
    let mut turns = Turns::default();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(next) = turns.next(&waiting, &[]) {
        let (task, folder) = (next.task, next.folder.clone());
        turns.took(&folder);
        waiting.retain(|one| one.task != task);
        order.push(task);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Priority, Standing};
    use deskhand_vocabulary::EventId;

    fn waiting(number: u64, folder: &str, priority: Priority) -> Waiting {
        let (task, since) = (TaskId(number), EventId(number));
        Waiting { task, since, priority, folder: folder.to_owned(), standing: Standing::Queued }
    }

    fn numbers(order: &[TaskId]) -> Vec<u64> {
        order.iter().map(|task| task.0).collect()
    }

    #[test]
    fn folders_take_turns_within_a_priority() {
        use Priority::{High, Low, Normal};
        let all = vec![
            waiting(1, "/a", Normal),
            waiting(2, "/a", Normal),
            waiting(3, "/a", Normal),
            waiting(4, "/b", Normal),
            waiting(5, "/b", Low),
            waiting(6, "/c", High),
            waiting(7, "/c", High),
        ];
        assert_eq!(numbers(&order(all)), [6, 7, 1, 4, 2, 3, 5]);
        assert_eq!(numbers(&order(Vec::new())), [0_u64; 0]);
    }

    #[test]
    fn a_folder_that_nobody_is_at_work_on_goes_first() {
        let all = [waiting(1, "/a", Priority::Normal), waiting(2, "/b", Priority::Normal)];
        let mut turns = Turns::default();
        let next = |turns: &Turns, busy: &[String]| turns.next(&all, busy).map(|one| one.task.0);
        assert_eq!(next(&turns, &[]), Some(1));
        assert_eq!(next(&turns, &["/a".to_owned()]), Some(2));
        turns.took("/b");
        assert_eq!(next(&turns, &["/a".to_owned(), "/b".to_owned()]), Some(1));
    }

    /// 200 tasks of one folder do not keep the one of another waiting.
    #[test]
    fn many_tasks_of_one_folder_keep_no_other_waiting() {
        let mut all: Vec<Waiting> = (1..=200).map(|number| waiting(number, "/a", Priority::Normal)).collect();
        all.push(waiting(201, "/b", Priority::Normal));
        let order = numbers(&order(all));
        assert_eq!(order[..3], [1, 201, 2]);
        assert_eq!(order.len(), 201);
    }
}
