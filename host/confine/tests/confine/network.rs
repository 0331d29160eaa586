//! The one way to a network: a socket of the proxy, which answers at a port in the sandbox.

use crate::kit::{run, script};
use deskhand_confine::{Confined, Ended, PROXY_PORT};
use deskhand_egress::{
    Ask, Egress, Found, Gateway, Judge, Judged, Judgement, Lookup, Parts, Proxies, Reach, Recorder, SystemTimer,
    Traffic,
};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixListener,
};

/// A proxy that says what it heard.
fn echo(at: &Path) {
    let listener = UnixListener::bind(at).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = vec![0; 4096];
                let count = stream.read(&mut heard).await.unwrap_or(0);
                let first = String::from_utf8_lossy(&heard[..count]).lines().next().unwrap_or_default().to_owned();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", first.len());
                let _ = stream.write_all((head + &first).as_bytes()).await;
            });
        }
    });
}

#[tokio::test]
async fn programs_reach_the_proxy_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("proxy");
    echo(&socket);
    let text = "env | grep -i proxy | sort; curl -sS http://example.com/a; echo; \
                curl -sS --noproxy '*' -m 5 http://192.0.2.1/ 2>&1 | cut -c1-40; cat /proc/net/route | wc -l";
    let said = run(Confined { network: Some(socket), ..script(text) }).await;
    let proxy = format!("http://127.0.0.1:{PROXY_PORT}");
    assert_eq!(
        said.out,
        format!(
            "HTTPS_PROXY={proxy}\nHTTP_PROXY={proxy}\nNODE_USE_ENV_PROXY=1\nhttp_proxy={proxy}\nhttps_proxy={proxy}\n\
             GET http://example.com/a HTTP/1.1\ncurl: (7) Failed to connect to 192.0.2.1\n1"
        ),
        "{}",
        said.err
    );
}

#[tokio::test]
async fn a_status_and_a_signal_come_through_beside_the_proxy() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("proxy");
    echo(&socket);
    let with = |text: &str| Confined { network: Some(socket.clone()), ..script(text) };
    assert_eq!(run(with("exit 9")).await.ended, deskhand_confine::Ended::Exited(9));
    assert_eq!(run(with("kill -9 $$")).await.ended, deskhand_confine::Ended::Exited(137));
}

#[tokio::test]
async fn a_thousand_connections_are_carried() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("proxy");
    echo(&socket);
    let python = format!(
        "import socket\nopen = [socket.create_connection(('127.0.0.1', {PROXY_PORT})) for n in range(1000)]\n\
         for one in open: one.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n')\n\
         print(sum(one.recv(100).startswith(b'HTTP/1.1 200') for one in open))"
    );
    let mut confined = Confined::new("python3");
    confined.arguments = vec!["-c".into(), python.into()];
    confined.network = Some(socket);
    let said = run(confined).await;
    assert_eq!(said.out, "1000", "{}", said.err);
}

/// The one name that is granted.
const GRANTED: &str = "files.test";

/// A network in which every name leads to this machine, one of them is granted, and what went out is kept.
#[derive(Clone, Default)]
struct Network(Arc<Mutex<Vec<Traffic>>>);

impl Lookup for Network {
    fn lookup(&self, _: &str) -> Found {
        Box::pin(async { Ok(vec!["127.0.0.1".parse().unwrap()]) })
    }
}

impl Judge for Network {
    fn judge<'a>(&'a self, ask: &'a Ask) -> Judged<'a> {
        let judgement = match ask.host.as_str() {
            GRANTED => Judgement::Allowed(Reach::Local),
            "public.test" => Judgement::Allowed(Reach::Public),
            _ => Judgement::Refused { reason: "it was not granted".to_owned() },
        };
        Box::pin(async move { judgement })
    }
}

impl Recorder for Network {
    fn record(&self, traffic: &Traffic) {
        self.0.lock().unwrap().push(traffic.clone());
    }
}

impl Network {
    fn gateway(&self, folder: &Path, port: u16) -> Gateway {
        let egress = Egress::new(Parts {
            proxies: Proxies::none(),
            lookup: Arc::new(self.clone()),
            timer: Arc::new(SystemTimer::default()),
            user_agent: "deskhand/test".to_owned(),
        });
        Gateway::open(egress.outlet(Arc::new(self.clone()), Arc::new(self.clone())), folder, "proxy", &[port]).unwrap()
    }
}

/// A server of the files in a folder, which is Python's.
struct Files {
    child: Child,
    port: u16,
}

impl Files {
    fn of(folder: &Path) -> Self {
        let mut child = Command::new("python3")
            .args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "0"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.split("port ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        Self { child, port }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn ran(program: &str, arguments: &[&str], at: &Path) {
    let done = Command::new(program).args(arguments).current_dir(at).output().unwrap();
    assert!(done.status.success(), "{program} {arguments:?} {}", String::from_utf8_lossy(&done.stderr));
}

/// A repository that any server of files can serve, and an index with one package (PEP 503).
fn served(folder: &Path) {
    let git = |arguments: &[&str], at: &Path| {
        ran("git", &[&["-c", "user.name=t", "-c", "user.email=t@example.com"], arguments].concat(), at)
    };
    let letters = folder.join("letters");
    fs::create_dir_all(&letters).unwrap();
    git(&["init", "--quiet"], &letters);
    fs::write(letters.join("read.me"), "from git").unwrap();
    git(&["add", "read.me"], &letters);
    git(&["commit", "--quiet", "-m", "one"], &letters);
    git(&["clone", "--quiet", "--bare", "letters", "repository.git"], folder);
    git(&["update-server-info"], &folder.join("repository.git"));
    let index = folder.join("simple/hello");
    fs::create_dir_all(&index).unwrap();
    fs::write(index.join("index.html"), "<a href=\"hello-1.0-py3-none-any.whl\">hello-1.0-py3-none-any.whl</a>")
        .unwrap();
    let wheel = "import zipfile
with zipfile.ZipFile('hello-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('hello.py', 'print(\"from pip\")')
    wheel.writestr('hello-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: hello\\nVersion: 1.0\\n')
    wheel.writestr('hello-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('hello-1.0.dist-info/RECORD', '')
";
    ran("python3", &["-c", wheel], &index);
}

#[tokio::test]
async fn curl_git_and_pip_go_through_to_a_granted_host_alone() {
    let dir = tempfile::tempdir().unwrap();
    served(dir.path());
    let files = Files::of(dir.path());
    let private = tempfile::tempdir().unwrap();
    fs::set_permissions(private.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let network = Network::default();
    let gateway = network.gateway(private.path(), files.port);
    let within = |text: &str| {
        let text =
            text.replace("FILES", &format!("http://{GRANTED}:{}", files.port)).replace("PORT", &files.port.to_string());
        run(Confined { network: Some(gateway.socket().to_owned()), ..script(&text) })
    };
    let said = within(
        "set -e; curl -fsS FILES/letters/read.me; echo; curl -fsS --proxytunnel FILES/letters/read.me; echo; \
         git clone --quiet FILES/repository.git got; cat got/read.me; echo; \
         python3 -m pip install --quiet --disable-pip-version-check --no-cache-dir --target lib \
         --index-url FILES/simple --trusted-host files.test hello 2>&1; PYTHONPATH=lib python3 -m hello",
    )
    .await;
    assert_eq!(
        (said.out.as_str(), said.ended),
        ("from git\nfrom git\nfrom git\nfrom pip", Ended::Exited(0)),
        "{}",
        said.err
    );
    let said = within(
        "curl -sS http://other.test:PORT/; curl -sS http://public.test:PORT/; curl -sS http://127.0.0.1:PORT/ ; \
         curl -sS --proxytunnel http://public.test:PORT/ 2>&1; curl -sS --proxytunnel http://files.test:1/ 2>&1; \
         curl -sS http://169.254.169.254/latest/meta-data/",
    )
    .await;
    assert_eq!(
        said.out,
        "Deskhand: nothing was sent to other.test: it was not granted\n\
         Deskhand: nothing was sent to public.test: it leads to 127.0.0.1, which is in this computer's own network and not on the \
         internet. If it is meant to be there, allow it as a local host\n\
         Deskhand: nothing was sent to 127.0.0.1: it was not granted\n\
         curl: (56) CONNECT tunnel failed, response 403\ncurl: (56) CONNECT tunnel failed, response 403\n\
         Deskhand: nothing was sent to 169.254.169.254: it was not granted",
        "{}",
        said.err
    );
    let hosts: Vec<_> =
        network.0.lock().unwrap().iter().filter(|hop| hop.sent > 0).map(|hop| hop.host.clone()).collect();
    assert!(!hosts.is_empty() && hosts.iter().all(|host| host == GRANTED), "{hosts:?}");
}
