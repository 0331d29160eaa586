//! The socket of the supervisor: who connects is greeted, and told what they ask for.

use crate::{
    frame::{self, MOST_TOLD},
    message::{Asked, Greeting, SPEAKS, Told},
    stage::{Frame, Stage},
    supervisor::Stages,
};
use std::{io, os::unix::net::UnixListener as Listener, sync::Arc};
use tokio::{
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Notify, Semaphore, mpsc},
    task::JoinHandle,
};

/// So many are connected at once.
const CONNECTIONS: usize = 256;
/// So many messages wait for one who follows; one that falls further behind is left behind.
const BEHIND: usize = 1024;

/// What a connection is served with.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) stages: Arc<Stages>,
    pub(crate) look: Arc<Notify>,
}

/// Serve who connects, until the task is aborted.
pub(crate) fn open(listener: Listener, service: Service, version: &str) -> io::Result<JoinHandle<()>> {
    let listener = UnixListener::from_std(listener)?;
    let greeting = Greeting { deskhand: version.to_owned(), speaks: SPEAKS, process: std::process::id() };
    let greeting: Frame = frame::bytes(&greeting, MOST_TOLD)?.into();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    Ok(tokio::spawn(async move {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                // too many files are open: it is tried again when some are closed
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            };
            if !is_own(&stream) {
                continue;
            }
            let (service, greeting) = (service.clone(), Arc::clone(&greeting));
            tokio::spawn(async move {
                // who speaks in another way, or breaks off, is told nothing more
                let _ = service.serve(stream, &greeting).await;
                drop(place);
            });
        }
    }))
}

/// True if the other side is this user.
fn is_own(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}

impl Service {
    async fn serve(&self, stream: UnixStream, greeting: &Frame) -> io::Result<()> {
        let (mut read, mut write) = stream.into_split();
        frame::send_all(&mut write, greeting).await?;
        loop {
            let Some(asked) = tokio::time::timeout(frame::PATIENCE, frame::next(&mut read)).await?? else {
                return Ok(());
            };
            match asked {
                Asked::Look => {
                    self.look.notify_one();
                    frame::send_all(&mut write, &frame::bytes(&Told::Heard, MOST_TOLD)?).await?;
                }
                Asked::Follow { task, answers } => {
                    let stage = self.stages.of(task);
                    let (to, from) = mpsc::channel(BEHIND);
                    let number = stage.join(to, answers);
                    let followed = follow(&stage, read, write, from).await;
                    stage.leave(number);
                    self.look.notify_one();
                    return followed;
                }
                // it answers nothing that it follows
                Asked::Answer { .. } => return Ok(()),
            }
        }
    }
}

async fn follow(
    stage: &Arc<Stage>,
    mut read: OwnedReadHalf,
    mut write: OwnedWriteHalf,
    mut from: mpsc::Receiver<Frame>,
) -> io::Result<()> {
    let answering = async {
        loop {
            match frame::next(&mut read).await? {
                Some(Asked::Answer { question, answer }) => stage.answer(question, answer),
                Some(_) | None => return Ok(()),
            }
        }
    };
    let telling = async {
        while let Some(frame) = from.recv().await {
            frame::send_all(&mut write, &frame).await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = answering => ended,
        ended = telling => ended,
    }
}
