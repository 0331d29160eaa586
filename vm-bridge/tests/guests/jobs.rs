//! What a guest does for a job.

use crate::kit::{LIMITS, alone, bridge, bridge_of, command, finish, folder, image_with, run, run_with, shell};
use deskhand_vm_bridge::{Ending, Event, Limits, Reach, Refusal, Warmth};

/// What is more than the way has room for waits in its pipe, and all of it comes.
#[test]
fn what_is_said_and_given_waits_for_whoever_reads_it() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let much = 8 << 20;
    let limits = Limits { output: 2 * much, ..LIMITS };
    let job = guest.start(command(&["bash", "-c", "sleep 2; wc -c; head -c 8388608 /dev/zero"]), limits).unwrap();
    // neither end reads at first
    job.input(&vec![b'x'; 4 << 20]).unwrap();
    job.end_input().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(5));
    let outcome = finish(&job);
    assert_eq!((outcome.ending(), outcome.usage().output), (Ending::Exited(0), 8 + much));
    assert!(outcome.output.starts_with("4194304\n\0") && outcome.output.len() as u64 == 8 + much);
}

#[test]
fn a_job_gets_input_and_says_what_it_has_to_say() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let echo = run(&guest, &["echo", "hello from the guest"]);
    assert_eq!((echo.output.as_str(), echo.ending()), ("hello from the guest\n", Ending::Exited(0)));

    let job = guest.start(command(&["bash", "-c", "cat; echo to error >&2; exit 7"]), LIMITS).unwrap();
    job.input(b"one\n").unwrap();
    job.input(b"two\n").unwrap();
    job.end_input().unwrap();
    let outcome = finish(&job);
    assert_eq!((outcome.output.as_str(), outcome.error.as_str()), ("one\ntwo\n", "to error\n"));
    assert_eq!(outcome.ending(), Ending::Exited(7));
    let usage = outcome.usage();
    assert_eq!((usage.output, usage.error, usage.out_of_processes), (8, 9, false));
    assert!(usage.processor > 0 && usage.memory > 0);

    let who = shell(&guest, "id -u; pwd; echo $HOME; uname -n; touch file && ls");
    assert_eq!(who.output, "1000\n/home/user\n/home/user\ndeskhand\nfile\n");
    let python = run(&guest, &["python3", "-c", "import json, ssl, sqlite3; print(sum(range(101)))"]);
    assert_eq!((python.output.as_str(), python.error.as_str()), ("5050\n", ""));
    assert_eq!(
        shell(&guest, "git --version | cut -d. -f1; rg --version | head -1 | cut -d. -f1").output,
        "git version 2\nripgrep 13\n"
    );
}

#[test]
fn what_cannot_start_is_refused_with_the_reason() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    assert_eq!(run(&guest, &["no-such-program"]).last, Event::Refused(Refusal::Start(2)));
    let mut nowhere = command(&["true"]);
    nowhere.folder = b"/no/such/folder".to_vec();
    assert_eq!(finish(&guest.start(nowhere, LIMITS).unwrap()).last, Event::Refused(Refusal::Start(2)));
    assert_eq!(finish(&guest.start(command(&["a\0b"]), LIMITS).unwrap()).last, Event::Refused(Refusal::Senseless));
    assert_eq!(run(&guest, &["true"]).ending(), Ending::Exited(0));
}

#[test]
fn a_job_ends_when_its_time_is_over_or_it_is_told_to_even_if_it_will_not() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let short = Limits { milliseconds: 1000, ..LIMITS };
    assert_eq!(run_with(&guest, &["sleep", "1000"], short).ending(), Ending::OutOfTime);
    let stubborn = "trap '' TERM; echo ready; while :; do sleep 1; done";
    let job = guest.start(command(&["bash", "-c", stubborn]), LIMITS).unwrap();
    assert!(matches!(job.next(), Event::Output { bytes, .. } if bytes == b"ready\n"));
    job.stop().unwrap();
    assert_eq!(finish(&job).ending(), Ending::Stopped);
    assert_eq!(shell(&guest, "kill -SEGV $$").ending(), Ending::Signal(11));
    // what a job leaves behind ends with it
    assert_eq!(shell(&guest, "sleep 1000 & disown; echo left").output, "left\n");
    assert_eq!(shell(&guest, "pgrep -c sleep").output, "0\n");
}

#[test]
fn jobs_run_side_by_side() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let jobs: Vec<_> = (0..8)
        .map(|number| guest.start(command(&["bash", "-c", &format!("read; echo {number}")]), LIMITS).unwrap())
        .collect();
    // the last one first: none waits for another
    for (number, job) in jobs.iter().enumerate().rev() {
        job.input(b"\n").unwrap();
        assert_eq!(finish(job).output, format!("{number}\n"));
    }
}

#[test]
fn the_image_has_what_its_recipe_promises() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let modules = "import docx, lxml.etree, numpy, openpyxl, PIL.Image, matplotlib
print(int(numpy.ones((9, 9)).dot(numpy.ones(9)).sum()))";
    let python = run(&guest, &["python3", "-c", modules]);
    assert_eq!((python.output.as_str(), python.error.as_str()), ("81\n", ""));
    let slides = "import pptx, pptx.chart.data, importlib.metadata
from pptx.enum.chart import XL_CHART_TYPE
deck = pptx.Presentation()
slide = deck.slides.add_slide(deck.slide_layouts[5])
slide.shapes.title.text = 'Title'
data = pptx.chart.data.CategoryChartData()
data.categories = ['a', 'b']
data.add_series('one', (1, 2))
slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, 10 ** 6, 10 ** 6, data)
deck.save('slides.pptx')
again = pptx.Presentation('slides.pptx').slides[0].shapes
print(again.title.text, list(again[1].chart.plots[0].series[0].values), importlib.metadata.version('python-pptx'))";
    let python = run(&guest, &["python3", "-c", slides]);
    assert_eq!((python.output.as_str(), python.error.as_str()), ("Title [1.0, 2.0] 1.0.2\n", ""));
}

#[test]
fn a_layer_lies_over_the_root_image() {
    let _alone = alone();
    assert_eq!(
        run(&bridge().guest(&Reach::default(), Warmth::Booted).unwrap(), &["json_reformat"]).last,
        Event::Refused(Refusal::Start(2))
    );
    let snapshots = tempfile::tempdir_in(folder()).unwrap();
    let bridge = bridge_of(&image_with(&["yajl-tools"]), snapshots.path());
    // the one that makes the snapshot, and one that is restored
    for _ in 0..2 {
        let guest = bridge.guest(&Reach::default(), Warmth::Booted).unwrap();
        let line = "echo '[1, 2]' | json_reformat -m && python3 -c 'import pandas' && touch /usr/bin/new";
        let outcome = shell(&guest, line);
        assert_eq!(
            (outcome.output.as_str(), outcome.error.as_str(), outcome.ending()),
            ("[1,2]", "touch: cannot touch '/usr/bin/new': Read-only file system\n", Ending::Exited(1))
        );
    }
}
