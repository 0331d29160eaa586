//! Mail (RFC 5322, RFC 2045): who wrote it to whom and when, its text, and what is attached to it.

use crate::text::{Text, one_line};
use deskhand_sdk::{Error, Result};
use mail_parser::{Address, Message, MessageParser, MimeHeaders as _};

pub(crate) fn read(document: &[u8], text: &mut Text) -> Result<()> {
    let mail = MessageParser::default().parse(document);
    let mail = mail.ok_or_else(|| Error::invalid("the mail is damaged: it has no headers that can be read"))?;
    head(&mail, text);
    for at in 0..mail.text_body_count() {
        if let Some(body) = mail.body_text(at) {
            text.push("\n");
            text.lines(&body);
        }
    }
    for attached in mail.attachments() {
        let name = attached.attachment_name().unwrap_or("without a name");
        let kind = attached.content_type().map(|kind| match &kind.c_subtype {
            Some(subtype) => format!("{}/{subtype}", kind.c_type),
            None => kind.c_type.to_string(),
        });
        let kind = kind.unwrap_or_else(|| "application/octet-stream".to_owned());
        text.mark(&format!("attached: {name}, {kind}, {} bytes", attached.len()));
    }
    Ok(())
}

fn head(mail: &Message<'_>, text: &mut Text) {
    let mut line = |name: &str, value: &str| {
        let value = one_line(value);
        if !value.is_empty() {
            text.push(&format!("{name}: {value}\n"));
        }
    };
    line("From", &people(mail.from()));
    line("To", &people(mail.to()));
    line("Cc", &people(mail.cc()));
    line("Date", &mail.date().map(|date| date.to_rfc3339()).unwrap_or_default());
    line("Subject", mail.subject().unwrap_or_default());
}

fn people(address: Option<&Address<'_>>) -> String {
    let person = |one: &mail_parser::Addr<'_>| match (one.name(), one.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.or(address).unwrap_or_default().to_owned(),
    };
    address.map(|all| all.iter().map(person).collect::<Vec<_>>().join(", ")).unwrap_or_default()
}
