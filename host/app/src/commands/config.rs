//! `deskhand config`

use crate::{cli, desk, exit::Exit, failure::Result, output, settings};

pub(crate) fn run(options: &cli::Config) -> Result {
    let path = desk::home()?.config_file();
    if options.path {
        output::text(&format!("{}\n", path.display()));
    } else {
        output::text(settings::DOCUMENTED);
        let state =
            if path.exists() { "is there and overrides the above" } else { "is not there; these defaults hold" };
        output::aside(&format!("\nYour settings file {} {state}.", path.display()));
    }
    settings::Settings::read(path)?;
    Ok(Exit::Done)
}
