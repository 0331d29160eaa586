//! The hosts that a login goes to. The one of the server is what the person asked for; any other is the server's idea, so it is
//! shown to them by its name before anything is sent there or opened. On this computer another port is another program.

use crate::{
    outgoing::{Agreement, site},
    show::line,
};
use deskhand_egress::{Judgement, Reach, is_local_name};
use deskhand_vocabulary::{Answer, Person, Principal, Question, ServerName, Unanswered, host::is_here};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// See the module.
pub(super) struct Agreeing {
    server: ServerName,
    /// The server's own host, and what it is agreed to as.
    host: String,
    own: String,
    person: Arc<dyn Person>,
    /// By what each is agreed to as.
    agreed: Mutex<BTreeMap<String, Reach>>,
}

/// How far the host of a server may lead. Whoever adds one by an address or a name of their own network means it to be there; one
/// with a name of the internet may lead to this computer all the same, as whoever answers for the name likes (DNS rebinding).
fn reach(host: &str) -> Reach {
    let nearby = is_here(host) || is_local_name(host) || host.parse::<IpAddr>().is_ok();
    if nearby { Reach::Local } else { Reach::Public }
}

impl Agreeing {
    /// For the server at this host and port. Those that the person named themselves may be nearby, as they know them.
    pub(super) fn new(
        server: ServerName,
        (host, port): (String, u16),
        named: &[String],
        person: Arc<dyn Person>,
    ) -> Self {
        let own = site(&host, port);
        let named = named.iter().map(|site| (site.to_lowercase(), Reach::Local));
        let agreed = std::iter::once((own.clone(), reach(&host))).chain(named).collect();
        Self { server, host, own, person, agreed: Mutex::new(agreed) }
    }

    /// All that they agreed to.
    pub(super) fn agreed(&self) -> BTreeMap<String, Reach> {
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn ask(&self, host: &str, site: &str) -> Judgement {
        let text = format!(
            "The MCP server `{}` is at {}, and has you log in at {}, which is somewhere else. Go on there?",
            self.server,
            line(&self.own),
            line(site)
        );
        match self.person.ask(&Question::Confirm { origin: Principal::Person, text }) {
            Ok(Answer::Yes) => {
                // where a server sends on to is on the internet, unless all of it is on this computer
                let reach = if is_here(&self.host) && is_here(host) { Reach::Local } else { Reach::Public };
                Judgement::Allowed(reach)
            }
            Ok(_) => Judgement::Refused { reason: "you said no".to_owned() },
            Err(Unanswered::Absent) => Judgement::Waits {
                reason: format!(
                    "the MCP server `{}` has you log in there, which is somewhere else, and nobody is here to agree to that. If you know it, say so with: deskhand mcp login {} --at {}",
                    self.server,
                    self.server,
                    line(site)
                ),
            },
            Err(why @ Unanswered::Stopped) => Judgement::Refused { reason: why.to_string() },
        }
    }
}

impl Agreement for Agreeing {
    fn to(&self, host: &str, port: u16) -> Judgement {
        let site = site(host, port);
        // held while the person is asked, so that they are asked once
        let mut agreed = self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reach) = agreed.get(&site) {
            return Judgement::Allowed(*reach);
        }
        let judgement = self.ask(host, &site);
        if let Judgement::Allowed(reach) = &judgement {
            agreed.insert(site, *reach);
        }
        judgement
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use deskhand_vocabulary::{Notice, Plan, Progress, Stop};

    /// Somebody with one answer to all, and what they were asked.
    struct Says(Result<Answer, Unanswered>, Mutex<Vec<String>>);

    impl Person for Says {
        fn present(&self) -> bool {
            true
        }

        fn show(&self, _: &Plan) {}

        fn ask_until(&self, question: &Question, _: &Stop) -> Result<Answer, Unanswered> {
            let Question::Confirm { text, .. } = question else { return Ok(Answer::No) };
            self.1.lock().unwrap().push(text.clone());
            self.0.clone()
        }

        fn tell(&self, _: &Notice) {}

        fn progress(&self, _: &Progress) {}
    }

    fn says(answer: Result<Answer, Unanswered>) -> Arc<Says> {
        Arc::new(Says(answer, Mutex::default()))
    }

    fn agreeing(own: (&str, u16), named: &[&str], person: &Arc<Says>) -> Agreeing {
        let named: Vec<String> = named.iter().map(|site| (*site).to_owned()).collect();
        let person = Arc::clone(person);
        Agreeing::new("shop".parse().unwrap(), (own.0.to_owned(), own.1), &named, person)
    }

    #[test]
    fn another_program_of_this_computer_is_asked_about() {
        let person = says(Ok(Answer::Yes));
        let agreeing = agreeing(("localhost", 9944), &["LOCALHOST:9955"], &person);
        for port in [9944, 9955] {
            assert_eq!(agreeing.to("localhost", port), Judgement::Allowed(Reach::Local), "{port}");
        }
        assert_eq!(*person.1.lock().unwrap(), [""; 0]);
        for _ in 0..2 {
            assert_eq!(agreeing.to("localhost", 9933), Judgement::Allowed(Reach::Local));
        }
        let text = "The MCP server `shop` is at localhost:9944, and has you log in at localhost:9933, which is somewhere else. Go on there?";
        assert_eq!(*person.1.lock().unwrap(), [text]);
        let agreed = ["localhost:9933", "localhost:9944", "localhost:9955"];
        assert_eq!(agreeing.agreed(), BTreeMap::from(agreed.map(|site| (site.to_owned(), Reach::Local))));
    }

    #[test]
    fn where_nobody_is_there_the_port_is_said_as_well() {
        let person = says(Err(Unanswered::Absent));
        let reason = "the MCP server `shop` has you log in there, which is somewhere else, and nobody is here to agree to that. If you know it, say so with: deskhand mcp login shop --at [::1]:9933";
        let unnamed = agreeing(("::1", 9944), &[], &person);
        assert_eq!(unnamed.to("::1", 9933), Judgement::Waits { reason: reason.to_owned() });
        // a host without its port says nothing of any program
        let named = agreeing(("localhost", 9944), &["localhost"], &person);
        assert!(matches!(named.to("localhost", 9933), Judgement::Waits { .. }));
    }

    #[test]
    fn only_what_is_nearby_by_its_name_may_lead_there_unless_the_person_says_so() {
        let person = says(Ok(Answer::Yes));
        let own = |host: &str, named: &[&str]| agreeing((host, 443), named, &person).to(host, 443);
        for host in ["mcp.example.com", "localhost.example.com"] {
            assert_eq!(own(host, &[]), Judgement::Allowed(Reach::Public), "{host}");
            assert_eq!(own(host, &[host]), Judgement::Allowed(Reach::Local), "{host}");
        }
        for host in ["localhost", "127.0.0.1", "10.1.2.3", "nas", "nas.local", "git.corp.internal"] {
            assert_eq!(own(host, &[]), Judgement::Allowed(Reach::Local), "{host}");
        }
        assert_eq!(*person.1.lock().unwrap(), [""; 0]);
        // where a server sends on to is on the internet
        let agreeing = agreeing(("localhost", 9944), &[], &person);
        assert_eq!(agreeing.to("auth.example.com", 8443), Judgement::Allowed(Reach::Public));
        assert_eq!(agreeing.to("nas.local", 443), Judgement::Allowed(Reach::Public));
    }
}
