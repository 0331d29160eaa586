//! `deskhand completions` and `deskhand man`

use crate::{
    cli,
    exit::Exit,
    failure::{Failure, Result},
    output,
};

pub(crate) fn completions(options: &cli::Completions) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut cli::definition(), "deskhand", &mut script);
    output::text(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}

pub(crate) fn man(options: &cli::Man) -> Result {
    let written = match &options.folder {
        Some(folder) => {
            std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(cli::definition(), folder))
        }
        None => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(cli::definition()).render(&mut page);
            output::text(&String::from_utf8_lossy(&page));
            rendered
        }
    };
    written.map_err(|error| {
        let folder = options.folder.as_deref().unwrap_or_else(|| std::path::Path::new("-"));
        Failure::failed(format!(
            "the manual could not be written to {}: {error}. Choose another folder",
            folder.display()
        ))
    })?;
    Ok(Exit::Done)
}
