//! What the reader of a page has before its first command, and what a test does in the reader's stead.

use deskhand_model_server::{Answer, HttpServer, ModelServer, Reply};
use deskhand_tests::{
    Place, Ran,
    login::{self, Provider},
    target,
};
use serde_json::json;
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
};

/// One reader.
pub(crate) struct Scene {
    pub(crate) place: Place,
    /// Where the reader's shell is.
    pub(crate) folder: PathBuf,
    /// What the reader puts in for a word of the page.
    words: Vec<(&'static str, String)>,
    /// Commands that end with another code than 0 here, by how they begin.
    codes: Vec<(&'static str, i32)>,
    /// The model that answers, where the reader has one.
    model: Option<ModelServer>,
    /// A server that wants a login, where the reader has one; it ends with the scene.
    _provider: Option<Provider>,
    /// A Debian archive, likewise.
    _archive: Option<HttpServer>,
}

impl Scene {
    fn new(place: Place) -> Self {
        let folder = place.path("home");
        Self { place, folder, words: Vec::new(), codes: Vec::new(), model: None, _provider: None, _archive: None }
    }

    /// A home with our plugins and a folder of downloads.
    fn downloads() -> Self {
        let place = Place::with_plugins();
        place.downloads();
        Self::new(place)
    }

    /// The scene of a page.
    pub(crate) fn of(page: &str) -> Option<Self> {
        Some(match page {
            "README.md" | "docs/command-line.md" => Self::downloads(),
            "CONTRIBUTING.md" => Self::new(Place::new()),
            "docs/admin.md" => {
                let scene = Self::new(Place::new());
                fs::copy(plugin("organize"), scene.folder.join("organize.wasm")).unwrap();
                scene.word("organize@1.0.0", "organize@0.1.0")
            }
            "docs/authoring.md" => Self::with_folder_of_files(Place::new()),
            "docs/agent.md" => Self::with_agent(Self::downloads()),
            "docs/bench.md" => Self::new(Place::new()),
            "docs/instructions.md" => Self::with_letters(),
            "docs/keys.md" => {
                let connect = "plugin connect websearch brave";
                Self::new(Place::with_plugins()).word(connect, "plugin connect websearch brave --key-stdin <<< a-key")
            }
            "docs/log.md" => {
                let scene = Self::downloads();
                scene.does(&["run", "--yes", "--folder", "Downloads", "/organize by type"]);
                scene.word("7", "1")
            }
            "docs/marketplace.md" => Self::with_market(),
            "docs/memory.md" => {
                let scene = Self::with_letters();
                scene.word("forget --all", "forget --all --yes").word("import notes", "import --yes notes")
            }
            "docs/mcp-server.md" => Self::with_client(),
            "docs/mcp.md" => Self::with_git(),
            "docs/mcp-login.md" => Self::with_login(),
            "docs/models.md" => Self::with_model(),
            "docs/permissions.md" => Self {
                // the folder was granted for the run alone: the answer is no
                codes: vec![("deskhand why change ~/Downloads --plugin", 5)],
                ..Self::downloads().word("default:", "home:")
            },
            "docs/transcripts.md" => {
                let scene = Self::with_agent(Self::downloads());
                scene.does(&["run", "--folder", "Downloads", "count the files"]);
                scene.word("delete 1", "delete 1 --yes").word("delete i1", "delete i1 --yes")
            }
            "docs/sandbox.md" => Self::new(Place::new()),
            "docs/shell.md" => Self::with_sandbox().building(),
            "docs/vm.md" => Self::new(Place::new()).building(),
            "docs/tasks.md" => Self::with_agent(Self::with_folder_of_files(Place::new())),
            "docs/undo.md" => Self::new(Place::new()),
            _ => return None,
        })
    }

    fn with_folder_of_files(place: Place) -> Self {
        place.downloads();
        Self::new(place)
    }

    /// A home with a folder of downloads, an agent, and nobody at a terminal.
    fn with_sandbox() -> Self {
        let mut scene = Self::with_agent(Self::with_folder_of_files(Place::new()));
        // it was taken back before
        scene.codes.push(("deskhand why execute", 5));
        scene
    }

    /// With a Debian archive and a package index that have nothing; the real one is that of `make test-vm`.
    fn building(mut self) -> Self {
        let archive = HttpServer::start(|_| Answer::new(404, "text/plain", "not here"));
        let build = format!("deskhand vm build --mirror {0} --index {0}", archive.url());
        self.codes.push(("deskhand vm build", 1));
        Self { _archive: Some(archive), ..self.word("deskhand vm build", &build) }
    }

    /// A folder of letters, with what is to be done about them.
    fn with_letters() -> Self {
        let scene = Self::new(Place::new());
        fs::create_dir(scene.folder.join("Letters")).unwrap();
        fs::write(scene.folder.join("Letters/DESKHAND.md"), "Name letters by date and sender.\n").unwrap();
        scene
    }

    /// A marketplace of somebody else in `~/market`, with our plugins.
    fn with_market() -> Self {
        let scene = Self::downloads();
        fs::remove_dir_all(scene.place.path("deskhand")).unwrap();
        fs::create_dir(scene.place.path("deskhand")).unwrap();
        fs::rename(scene.place.path("market"), scene.folder.join("market")).unwrap();
        let fingerprint = fs::read(first_root(&scene.folder.join("market"))).unwrap();
        let scene = scene.word("organize@1.0.0", "organize@0.1.0").word("organize@^1", "organize@^0.1");
        scene.word("FINGERPRINT", &deskhand_vocabulary::Sha256::of(fingerprint).to_string())
    }

    /// A program that called something which waits.
    fn with_client() -> Self {
        let scene = Self::downloads();
        let mut serve = scene.place.command(deskhand_tests::deskhand());
        serve.args(["mcp", "serve", "--client", "editor", "--folder", "Downloads"]);
        let mut child = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let hello =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "e", "version": "1"}});
        let call = json!({"name": "run_command", "arguments": {"command": "organize"}});
        let mut stdin = child.stdin.take().unwrap();
        for (id, method, params) in [(1, "initialize", hello), (2, "tools/call", call)] {
            writeln!(stdin, "{}", json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).unwrap();
        }
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(answers.any(|answer| answer.contains("deskhand resume 1")));
        drop(stdin);
        assert!(child.wait().unwrap().success());
        let browser = "deskhand mcp serve --client browser";
        let scene = scene.word(browser, &format!("timeout --preserve-status -s INT 5 {browser}"));
        let scene = scene.word("--http 8765", "--http").word("resume 12", "resume 1").word("cancel 12", "cancel 1");
        // nobody is at a terminal in a test
        Self { codes: vec![("deskhand resume 12", 3)], ..scene }
    }

    /// The git server of others that `tests/setup` installs, a repository, and a model that says that all is well.
    fn with_git() -> Self {
        let scene = Self::new(Place::new()).agreeable();
        let server = target().parent().unwrap().join("mcp-servers/python/bin/mcp-server-git");
        assert!(server.is_file(), "{} is not there: tests/setup", server.display());
        let git = Command::new("git").args(["init", "--quiet"]).arg(scene.folder.join("letters")).status();
        assert!(git.unwrap().success());
        scene.word("uvx mcp-server-git", &format!("{}", server.display()))
    }

    /// A server that wants a login, and a browser to log in with.
    fn with_login() -> Self {
        let provider = Provider::start("well");
        let scene = Self::new(Place::new());
        let path = login::browser(&scene.place);
        let log_in = format!("DISPLAY=:9 PATH={path}:$PATH deskhand mcp login --at {}", provider.site());
        let scene = scene.word("https://mcp.example.com/mcp", &provider.mcp).word("deskhand mcp login", &log_in);
        let scene = scene.word("issues:write", "write").word("deskhand-1", "open");
        Self { _provider: Some(provider), ..scene }
    }

    /// A model of a vendor, and its key in the reader's hand; whoever agrees to send something agrees to the gateway.
    fn with_model() -> Self {
        let server = ModelServer::start();
        server.reply(Reply::new().text("Hello."));
        let vendor = format!("--wire anthropic --url {} --key-stdin <<< sk-test", server.url());
        let scene = Self::new(Place::new()).word("--preset anthropic", &vendor);
        Self { model: Some(server), ..scene.word("model allow claude", "model allow work") }
    }

    /// A model that has something to say to each request, and has nothing running.
    fn with_agent(scene: Self) -> Self {
        // every task is over before the next command
        let codes = vec![("deskhand steer", 1), ("deskhand pause", 1), ("deskhand cancel", 2), ("deskhand resume", 2)];
        Self { codes, ..scene.agreeable() }
    }

    /// With a model that has something to say to each request.
    fn agreeable(self) -> Self {
        let server = ModelServer::start();
        for _ in 0..10 {
            server.reply(Reply::new().text("Done."));
        }
        self.does(&[
            "model",
            "add",
            "local",
            "--wire",
            "anthropic",
            "--url",
            &server.url(),
            "--model",
            "m",
            "--no-key",
        ]);
        Self { model: Some(server), ..self }
    }

    /// A history of seven commits: what the reader of the page about undo has, before each of its commands anew. The last
    /// moved `report.pdf`, or for who wants it back, removed it.
    fn with_history(command: &str) -> Self {
        let scene = Self::new(Place::with_plugins());
        let downloads = scene.folder.join("Downloads");
        for folder in [&downloads, &scene.folder.join("Desktop")] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(downloads.join("report.pdf"), "%PDF-1.4\n").unwrap();
        for _ in 0..3 {
            scene.does(&["run", "--yes", "--folder", "Downloads", "/organize by type"]);
            scene.does(&["undo", "--yes"]);
        }
        if command.starts_with("deskhand restore") || command.starts_with("deskhand purge") {
            fs::write(downloads.join("a.pdf"), "%PDF-1.4\n").unwrap();
            let old = Command::new("touch").args(["-d", "@1000000000"]).arg(downloads.join("a.pdf")).status();
            assert!(old.unwrap().success());
            scene.does(&["run", "--yes", "--allow-removals", "1", "--folder", "Downloads", "/duplicates"]);
            assert!(!downloads.join("report.pdf").exists());
        } else {
            scene.does(&["run", "--yes", "--folder", "Downloads", "/organize by type"]);
            assert!(downloads.join("Documents/report.pdf").exists());
        }
        scene
    }

    /// Make ready for the next command.
    pub(crate) fn before(&mut self, page: &str, command: &str) {
        if page == "docs/tasks.md" {
            // the reader takes a while to read on
            self.wait_for_the_background();
        }
        if page == "docs/undo.md" {
            *self = Self::with_history(command);
        }
    }

    /// Wait until no task is at work or waits for its turn.
    fn wait_for_the_background(&self) {
        let busy = |tasks: &str| tasks.contains(r#""state":"queued""#) || tasks.contains(r#""state":"at work""#);
        let listed = || self.place.deskhand(["tasks", "--json"]).stdout;
        assert!((0..1000).any(|_| !busy(&listed())), "{}", listed());
    }

    fn word(mut self, word: &'static str, stands_for: &str) -> Self {
        self.words.push((word, stands_for.to_owned()));
        self
    }

    /// The reader has done this before.
    fn does(&self, arguments: &[&str]) {
        let ran = self.place.deskhand(arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}: {}", ran.stdout);
    }

    /// The line that is run: the page's, with the reader's own words, and with their consent, because nobody is there.
    pub(crate) fn line(&self, command: &str) -> String {
        let mut line = self.words.iter().fold(command.to_owned(), |line, (word, with)| line.replace(word, with));
        let asks = [
            "deskhand run",
            "deskhand undo",
            "deskhand restore",
            "deskhand purge",
            "deskhand plugin install",
            "deskhand plugin update",
        ];
        let answered = [" --yes", " --json", " --preview", "|"].iter().any(|option| line.contains(option));
        if asks.iter().any(|asks| line.starts_with(asks)) && !answered {
            line.push_str(" --yes");
        }
        line
    }

    /// How the command ends.
    pub(crate) fn code(&self, command: &str) -> i32 {
        self.codes.iter().find(|(begins, _)| command.starts_with(begins)).map_or(0, |(_, code)| *code)
    }

    /// What the reader takes from a command's output for the next.
    pub(crate) fn after(&mut self, command: &str, ran: &Ran) {
        if command.starts_with("deskhand market init") || command.starts_with("deskhand market renew") {
            let listed = self.place.deskhand(["market", "list", "--json"]).ok();
            let ours: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
            self.words.retain(|(word, _)| *word != "FINGERPRINT" && *word != "KEYID");
            self.words.push(("FINGERPRINT", ours["fingerprint"].as_str().unwrap().to_owned()));
            self.words.push(("KEYID", ours["root_keys"][2]["id"].as_str().unwrap()[..8].to_owned()));
        }
        if let Some(model) = self.model.as_ref().filter(|_| command.starts_with("deskhand model test")) {
            model.finish();
        }
        // who has tried a new plugin goes on working on it in its folder
        let own = self.place.path("home/hello");
        if command.starts_with("deskhand run") && own.is_dir() {
            assert_eq!(ran.stderr, "");
            self.folder = own;
        }
    }
}

/// A component of ours, as `make prepare` built it.
fn plugin(name: &str) -> PathBuf {
    target().parent().unwrap().join("plugin").join(format!("{name}.wasm"))
}

fn first_root(market: &std::path::Path) -> PathBuf {
    let found = Command::new("find").arg(market).args(["-name", "1.root.json"]).output().unwrap();
    PathBuf::from(String::from_utf8(found.stdout).unwrap().trim())
}
