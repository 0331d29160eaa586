//! Puts the loose files of a folder into a folder for each extension.

use deskhand_sdk::prelude::*;

/// What the person can say. Each field is an argument; its comment is its help.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Only files with this extension, such as pdf.
    #[serde(default)]
    pub only: Option<String>,
}

/// Put the loose files of a folder into a folder for each extension.
#[command(
    name = "{{name}}",
    forms = ["only {only}"],
    triggers = [
        "put the files into folders by extension",
        "make a folder for each file extension",
        "group loose files by their extension",
    ],
    not_for = ["change the extension of a file"],
)]
pub fn by_extension(arguments: Arguments) -> Result<Reply> {
    let folder = files::folder()?;
    let only = arguments.only.map(|only| only.trim_start_matches('.').to_lowercase());
    let mut moved = 0;
    let mut left = 0;
    // depth(1): a subfolder stays as it is; visible(): and what is hidden, where programs look for it
    for entry in files::walk(&folder).depth(1).visible() {
        let entry = entry?;
        invocation::check()?;
        let Some(extension) = entry.path.extension().map(str::to_lowercase) else { continue };
        if !entry.is_file() || only.as_ref().is_some_and(|only| *only != extension) {
            continue;
        }
        let target = folder.join(&extension)?.join(entry.path.name())?;
        if files::exists(&target)? {
            left += 1;
            continue;
        }
        changes::make_folders(&folder.join(&extension)?)?;
        changes::move_file(&entry, &target)?.explain(&format!("its extension is {extension}"))?;
        moved += 1;
    }
    if moved == 0 {
        return Ok(Reply::text(match left {
            0 => "There is nothing to do.".to_owned(),
            left => format!("Nothing can be moved: {left} files have the name of one that is there."),
        }));
    }
    // nothing has been touched yet: the person sees the plan, may edit it, and decides; Deskhand says what was done
    changes::propose("A folder for each extension", View::Tree)?;
    Ok(match left {
        0 => Reply::nothing(),
        left => Reply::text(format!("{left} files were not in the plan: a file of their name is there.")),
    })
}

deskhand_sdk::plugin! { commands: [by_extension] }

#[cfg(test)]
mod tests {
    use super::*;

    fn downloads() -> testing::Host {
        testing::Host::new()
            .folder("Downloads")
            .file("Downloads/a.pdf", "one")
            .file("Downloads/b.PDF", "two")
            .file("Downloads/c.txt", "three")
            .file("Downloads/README", "four")
            .file("Downloads/.settings.ini", "six")
            .file("Downloads/old/d.txt", "five")
    }

    #[test]
    fn each_extension_gets_a_folder() {
        let host = downloads();
        let reply = host.run(|| by_extension(Arguments::default()));
        assert_eq!(reply, Ok(Reply::nothing()));
        assert_eq!(
            host.tree(),
            [
                "Downloads/.settings.ini",
                "Downloads/README",
                "Downloads/old/d.txt",
                "Downloads/pdf/a.pdf",
                "Downloads/pdf/b.PDF",
                "Downloads/txt/c.txt"
            ]
        );
    }

    #[test]
    fn only_one_extension_if_the_person_says_so() {
        let host = downloads();
        host.run(|| by_extension(Arguments { only: Some(".txt".into()) })).unwrap();
        assert_eq!(
            host.proposal().lines(),
            ["make-folder Downloads/txt", "move Downloads/c.txt -> Downloads/txt/c.txt"]
        );
    }

    #[test]
    fn nothing_is_moved_over_another_file() {
        let host = downloads().file("Downloads/txt/c.txt", "another").cancels();
        let before = host.tree();
        let reply = host.run(|| by_extension(Arguments { only: Some("txt".into()) }));
        assert_eq!(reply, Ok(Reply::text("Nothing can be moved: 1 files have the name of one that is there.")));
        assert_eq!(host.tree(), before);
    }

    #[test]
    fn nothing_happens_when_the_person_declines() {
        let host = downloads().cancels();
        let before = host.tree();
        host.run(|| by_extension(Arguments::default())).unwrap();
        assert_eq!(host.tree(), before);
    }
}
