//! Pictures.

use super::script;
use crate::{
    output::{Live, Size},
    screen::{board::Board, json, lines, style::Styles},
};
use deskhand_agent::screen::Seen;
use insta::assert_snapshot;
use std::{num::NonZero, time::Duration};

/// A terminal with a board.
struct Picture {
    size: Size,
    terminal: vt100::Parser,
    live: Live,
    board: Board,
}

impl Picture {
    fn new(rows: u16, columns: u16, colour: bool) -> Self {
        let least_one = |number| NonZero::<u16>::new(number).unwrap_or(NonZero::<u16>::MIN);
        Self {
            size: Size { rows: rows.into(), columns: columns.into() },
            terminal: vt100::Parser::new(least_one(rows), least_one(columns), 1000),
            live: Live::new(),
            board: Board::new(Styles { colour }),
        }
    }

    fn paint(&mut self, above: &str, now: Duration) {
        let frame = self.live.frame(above, &self.board.rows(now, self.size), self.size);
        // what a terminal's driver makes of a line feed
        self.terminal.process(frame.replace("\r\n", "\n").replace('\n', "\r\n").as_bytes());
    }

    fn show(&mut self, at: u64, seen: Seen<'_>) {
        let now = Duration::from_millis(at);
        let above = self.board.take(seen, now, self.size.columns);
        self.paint(&above, now);
    }

    fn begun(rows: u16, columns: u16, colour: bool) -> Self {
        let mut picture = Self::new(rows, columns, colour);
        script::begins(&mut |at, seen| picture.show(at, seen));
        picture.paint("", Duration::from_millis(7000));
        picture
    }

    fn ended(mut self) -> Self {
        script::ends(&mut |at, seen| self.show(at, seen));
        let above = self.board.end(self.size.columns);
        let frame = self.live.frame(&above, &[], self.size);
        self.terminal.process(frame.replace("\r\n", "\n").replace('\n', "\r\n").as_bytes());
        self
    }

    fn text(&self) -> String {
        let contents = self.terminal.screen().contents();
        contents.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// With its styles, as they are written.
    fn styled(&self) -> String {
        let formatted = self.terminal.screen().contents_formatted();
        formatted.replace('\r', "").replace('\u{1b}', "␛")
    }
}

#[test]
fn at_a_terminal() {
    for columns in [80, 40, 20] {
        let picture = Picture::begun(60, columns, false);
        assert_snapshot!(format!("terminal_{columns}_begun"), picture.text());
        assert_snapshot!(format!("terminal_{columns}_ended"), picture.ended().text());
    }
}

#[test]
fn in_colour() {
    let picture = Picture::begun(60, 80, true);
    // colours are all that differs
    assert_eq!(picture.text(), Picture::begun(60, 80, false).text().replace('`', ""));
    assert_snapshot!(picture.styled());
}

#[test]
fn at_a_low_terminal_the_plan_gives_way() {
    for rows in [12, 6, 3] {
        let picture = Picture::begun(rows, 40, false);
        assert_snapshot!(format!("terminal_low_{rows}"), picture.text());
    }
}

#[test]
fn for_a_pipe_and_for_a_reader() {
    for (name, reader) in [("pipe", false), ("reader", true)] {
        let mut state = lines::State::new(reader);
        let mut out = String::new();
        let mut show = |_, seen: Seen<'_>| {
            for said in state.take(seen) {
                out.push_str(&match said {
                    lines::Said::Reply(line) => format!("out| {line}\n"),
                    lines::Said::Aside(lines) => format!("err| {}\n", lines.replace('\n', "\nerr| ")),
                });
            }
        };
        script::begins(&mut show);
        script::ends(&mut show);
        assert_snapshot!(name, out);
    }
}

#[test]
fn for_a_program() {
    let mut out = String::new();
    let mut show = |_, seen: Seen<'_>| {
        if let Some((event, content)) = json::event(seen) {
            out.push_str(&format!("{event} {content}\n"));
        }
    };
    script::begins(&mut show);
    script::ends(&mut show);
    assert_snapshot!("program", out);
}
