//! What is written in the attributes.

use proc_macro2::{Span, TokenStream};
use syn::{
    Expr, ExprLit, Lit, LitStr, Meta, Token,
    parse::{ParseStream, Parser as _},
    punctuated::Punctuated,
    spanned::Spanned as _,
};

/// What `#[command]`, `#[tool]` and `#[agent]` can say. Each attribute takes some of it.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) name: Option<LitStr>,
    pub(crate) title: Option<LitStr>,
    pub(crate) read_only: bool,
    pub(crate) tier: Option<LitStr>,
    pub(crate) forms: Vec<LitStr>,
    pub(crate) triggers: Vec<LitStr>,
    pub(crate) not_for: Vec<LitStr>,
}

/// Read an attribute that takes these keys.
pub(crate) fn read(attribute: TokenStream, keys: &[&str]) -> syn::Result<Said> {
    let parser = |input: ParseStream<'_>| Punctuated::<Meta, Token![,]>::parse_terminated(input);
    let mut said = Said::default();
    let mut seen: Vec<String> = Vec::new();
    for meta in parser.parse2(attribute)? {
        let span = meta.path().span();
        let key = meta.path().get_ident().map(ToString::to_string).unwrap_or_default();
        if !keys.contains(&key.as_str()) {
            return Err(syn::Error::new(span, format!("no such key here; there are: {}", keys.join(", "))));
        }
        if seen.contains(&key) {
            return Err(syn::Error::new(span, format!("`{key}` is written twice")));
        }
        match key.as_str() {
            "read_only" => match meta {
                Meta::Path(_) => said.read_only = true,
                other => return Err(syn::Error::new(other.span(), "write `read_only` alone")),
            },
            "name" => {
                let name = text(value(&meta)?)?;
                check_name(&name.value(), name.span())?;
                said.name = Some(name);
            }
            "tier" => {
                let tier = text(value(&meta)?)?;
                if !["fast", "balanced", "deep"].contains(&tier.value().as_str()) {
                    return Err(syn::Error::new(tier.span(), "a tier is \"fast\", \"balanced\" or \"deep\""));
                }
                said.tier = Some(tier);
            }
            "title" => said.title = Some(text(value(&meta)?)?),
            "forms" => said.forms = texts(value(&meta)?)?,
            "triggers" => said.triggers = texts(value(&meta)?)?,
            _ => said.not_for = texts(value(&meta)?)?,
        }
        seen.push(key);
    }
    Ok(said)
}

/// A name of a command or a tool: 1 to 64 of a-z, 0-9 and `-`, starting with a letter.
pub(crate) fn check_name(name: &str, span: Span) -> syn::Result<()> {
    let fits = matches!(name.len(), 1..=64)
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if fits {
        return Ok(());
    }
    Err(syn::Error::new(span, "a name is 1 to 64 of a-z, 0-9 and `-`, starting with a letter"))
}

/// The doc comment as text, a line for each line.
pub(crate) fn doc(attributes: &[syn::Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &pair.value
        {
            lines.extend(line.value().lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()));
            if line.value().is_empty() {
                lines.push(String::new());
            }
        }
    }
    lines.join("\n").trim().to_owned()
}

/// The first paragraph of a doc comment, on one line.
pub(crate) fn first_paragraph(doc: &str) -> String {
    doc.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect::<Vec<_>>().join(" ")
}

fn value(meta: &Meta) -> syn::Result<&Expr> {
    match meta {
        Meta::NameValue(pair) => Ok(&pair.value),
        other => Err(syn::Error::new(other.span(), "write it as `key = value`")),
    }
}

fn text(expression: &Expr) -> syn::Result<LitStr> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        other => Err(syn::Error::new(other.span(), "a text in quotes is needed here")),
    }
}

fn texts(expression: &Expr) -> syn::Result<Vec<LitStr>> {
    match expression {
        Expr::Array(array) => array.elems.iter().map(text).collect(),
        other => Err(syn::Error::new(other.span(), "a list of texts is needed here: [\"…\", \"…\"]")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use quote::quote;

    fn error(attribute: TokenStream) -> String {
        read(attribute, &["name", "title", "read_only", "forms"]).err().unwrap().to_string()
    }

    #[test]
    fn a_mistake_is_named() {
        assert_eq!(error(quote!(nam = "x")), "no such key here; there are: name, title, read_only, forms");
        assert_eq!(error(quote!(name = "x", name = "y")), "`name` is written twice");
        assert_eq!(error(quote!(name = 3)), "a text in quotes is needed here");
        assert_eq!(error(quote!(forms = "x")), "a list of texts is needed here: [\"…\", \"…\"]");
        assert_eq!(error(quote!(read_only = true)), "write `read_only` alone");
        assert_eq!(error(quote!(name)), "write it as `key = value`");
        assert_eq!(error(quote!(name = "No")), "a name is 1 to 64 of a-z, 0-9 and `-`, starting with a letter");
    }

    #[test]
    fn a_doc_comment_is_read_as_written() {
        let item: syn::ItemFn = syn::parse_quote! {
            /// Sort the files
            /// of a folder.
            ///
            /// More about it.
            fn f() {}
        };
        let doc = doc(&item.attrs);
        assert_eq!(doc, "Sort the files\nof a folder.\n\nMore about it.");
        assert_eq!(first_paragraph(&doc), "Sort the files of a folder.");
    }
}
