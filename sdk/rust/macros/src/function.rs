//! `#[command]`, `#[tool]`, `#[agent]` and `#[agent_loop]`: the function stays as it is, and beside it stands a type that knows how to call it and
//! what the manifest says of it.

use crate::attributes::{self, Said};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{FnArg, ItemFn, LitStr, ReturnType, Type, spanned::Spanned as _};

/// The type beside a command's function.
pub(crate) fn command_type(function: &Ident) -> Ident {
    format_ident!("__deskhand_command_{function}")
}

/// The type beside a tool's function.
pub(crate) fn tool_type(function: &Ident) -> Ident {
    format_ident!("__deskhand_tool_{function}")
}

pub(crate) fn expand_command(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let said = attributes::read(attribute, &["name", "forms", "triggers", "not_for"])?;
    let function: ItemFn = syn::parse2(item)?;
    let shape = Shape::of(&function, "command")?;
    let name = name(&said, &function)?;
    let doc = documented(&function, "the sentence that the person sees")?;
    let summary = attributes::first_paragraph(&doc);

    let (ident, visibility) = (command_type(&function.sig.ident), &function.vis);
    let cfgs = cfgs(&function);
    let call = shape.call(&function, &name);
    let schema = shape.schema(&quote!(of_arguments));
    let Said { forms, triggers, not_for, .. } = said;
    let output = shape.output_span(&quote!(::deskhand_sdk::plugin::CommandResult::into_reply));
    Ok(quote! {
        #function

        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility struct #ident;

        #(#cfgs)*
        impl ::deskhand_sdk::plugin::Command for #ident {
            const NAME: &'static str = #name;

            #[allow(unused_variables)]
            fn run(arguments: &str) -> ::deskhand_sdk::Result<::deskhand_sdk::Reply> {
                #output(#call)
            }

            #[cfg(not(target_family = "wasm"))]
            fn describe() -> ::deskhand_sdk::plugin::description::Command {
                ::deskhand_sdk::plugin::description::Command {
                    name: ::std::string::String::from(#name),
                    summary: ::std::string::String::from(#summary),
                    arguments: #schema,
                    forms: ::std::vec![#(::std::string::String::from(#forms)),*],
                    triggers: ::std::vec![#(::std::string::String::from(#triggers)),*],
                    not_for: ::std::vec![#(::std::string::String::from(#not_for)),*],
                }
            }
        }
    })
}

pub(crate) fn expand_tool(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let said = attributes::read(attribute, &["name", "title", "read_only"])?;
    let function: ItemFn = syn::parse2(item)?;
    let shape = Shape::of(&function, "tool")?;
    let name = name(&said, &function)?;
    let doc = documented(&function, "what the model reads")?;
    let title = said.title.ok_or_else(|| {
        syn::Error::new(function.sig.ident.span(), "a tool needs a title for the person: #[tool(title = \"…\")]")
    })?;

    let (ident, visibility) = (tool_type(&function.sig.ident), &function.vis);
    let cfgs = cfgs(&function);
    let call = shape.call(&function, &name);
    let schema = shape.schema(&quote!(of));
    let read_only = said.read_only;
    let output = shape.output_span(&quote!(::deskhand_sdk::plugin::ToolResult::into_output));
    let returned = &shape.returned;
    Ok(quote! {
        #function

        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility struct #ident;

        #(#cfgs)*
        impl ::deskhand_sdk::plugin::Tool for #ident {
            const NAME: &'static str = #name;

            #[allow(unused_variables)]
            fn call(arguments: &str) -> ::deskhand_sdk::Result<::deskhand_sdk::ToolOutput> {
                #output(#call)
            }

            #[cfg(not(target_family = "wasm"))]
            fn describe() -> ::deskhand_sdk::plugin::description::Tool {
                ::deskhand_sdk::plugin::description::Tool {
                    name: ::std::string::String::from(#name),
                    title: ::std::string::String::from(#title),
                    description: ::std::string::String::from(#doc),
                    input: #schema,
                    output: <<#returned as ::deskhand_sdk::plugin::ToolResult>::Value
                        as ::deskhand_sdk::plugin::ToolValue>::schema(),
                    read_only: #read_only,
                }
            }
        }
    })
}

/// The type beside a sub-agent's function.
pub(crate) fn agent_type(function: &Ident) -> Ident {
    format_ident!("__deskhand_agent_{function}")
}

/// The type beside the function of a sub-agent that runs itself.
pub(crate) fn agent_loop_type(function: &Ident) -> Ident {
    format_ident!("__deskhand_agent_loop_{function}")
}

pub(crate) fn expand_agent(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    sub_agent(attribute, item, false)
}

pub(crate) fn expand_agent_loop(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    sub_agent(attribute, item, true)
}

fn sub_agent(attribute: TokenStream, item: TokenStream, own_loop: bool) -> syn::Result<TokenStream> {
    let said = attributes::read(attribute, &["name", "tier"])?;
    let function: ItemFn = syn::parse2(item)?;
    // the task comes first, in words; the rest is as with the others
    let mut rest = function.clone();
    let mut inputs = function.sig.inputs.iter();
    if !matches!(inputs.next(), Some(FnArg::Typed(task)) if matches!(&*task.ty, Type::Reference(_))) {
        let message = "an agent takes its task first: `fn name(task: &str, input: Input)`, or the task alone";
        return Err(syn::Error::new(function.sig.ident.span(), message));
    }
    rest.sig.inputs = inputs.cloned().collect();
    let shape = Shape::of(&rest, "agent")?;
    let name = name(&said, &function)?;
    let doc = documented(&function, "what the agent reads that gives it work")?;

    let beside = if own_loop { agent_loop_type } else { agent_type };
    let (ident, visibility) = (beside(&function.sig.ident), &function.vis);
    let cfgs = cfgs(&function);
    let called = &function.sig.ident;
    let call = match &shape.argument {
        None => quote!(#called(task)),
        Some(argument) => quote_spanned! {argument.span()=>
            #called(task, ::deskhand_sdk::plugin::arguments::<#argument>(#name, input)?)
        },
    };
    let input = match &shape.argument {
        None => quote!(::std::option::Option::None),
        Some(_) => {
            let schema = shape.schema(&quote!(of));
            quote!(::std::option::Option::Some(#schema))
        }
    };
    let tier = said.tier.map_or_else(|| "balanced".to_owned(), |tier| tier.value());
    let (role, work) = if own_loop {
        let answer = shape.output_span(&quote!(::deskhand_sdk::plugin::LoopResult::into_content));
        let work = quote! {
            fn run(task: &str, input: &str) -> ::deskhand_sdk::Result<::std::vec::Vec<::deskhand_sdk::Content>> {
                #answer(#call)
            }
        };
        (quote!(::deskhand_sdk::plugin::AgentLoop), work)
    } else {
        let work = quote! {
            fn brief(task: &str, input: &str) -> ::deskhand_sdk::Result<::deskhand_sdk::Profile> {
                #call.map_err(::std::convert::Into::into)
            }
        };
        (quote!(::deskhand_sdk::plugin::Agent), work)
    };
    Ok(quote! {
        #function

        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility struct #ident;

        #(#cfgs)*
        impl #role for #ident {
            const NAME: &'static str = #name;

            #[allow(unused_variables)]
            #work

            #[cfg(not(target_family = "wasm"))]
            fn describe() -> ::deskhand_sdk::plugin::description::Agent {
                ::deskhand_sdk::plugin::description::Agent {
                    name: ::std::string::String::from(#name),
                    description: ::std::string::String::from(#doc),
                    input: #input,
                    tier: ::std::string::String::from(#tier),
                    own_loop: #own_loop,
                }
            }
        }
    })
}

/// What a function takes and gives.
struct Shape {
    argument: Option<Type>,
    returned: Type,
}

impl Shape {
    fn of(function: &ItemFn, what: &str) -> syn::Result<Self> {
        let signature = &function.sig;
        let refuse = |span, message: String| Err(syn::Error::new(span, message));
        if let Some(token) = &signature.asyncness {
            return refuse(token.span(), format!("a {what} is a plain function: the host does the waiting"));
        }
        if !signature.generics.params.is_empty() {
            return refuse(signature.generics.span(), format!("a {what} has no type parameters"));
        }
        let argument = match signature.inputs.iter().collect::<Vec<_>>().as_slice() {
            [] => None,
            [FnArg::Typed(one)] => Some((*one.ty).clone()),
            [FnArg::Receiver(one)] => {
                return refuse(one.span(), format!("a {what} is a free function, without `self`"));
            }
            [_, second, ..] => {
                return refuse(
                    second.span(),
                    format!(
                        "a {what} takes one argument: put the values into one struct with Deserialize and JsonSchema"
                    ),
                );
            }
        };
        match &signature.output {
            ReturnType::Type(_, returned) => Ok(Self { argument, returned: (**returned).clone() }),
            ReturnType::Default => refuse(
                signature.ident.span(),
                format!("a {what} returns a Result: `-> deskhand_sdk::Result<()>` at least"),
            ),
        }
    }

    /// The call of the function with the arguments that came as JSON.
    fn call(&self, function: &ItemFn, name: &str) -> TokenStream {
        let ident = &function.sig.ident;
        match &self.argument {
            None => quote!(#ident()),
            Some(argument) => {
                quote_spanned!(argument.span()=> #ident(::deskhand_sdk::plugin::arguments::<#argument>(#name, arguments)?))
            }
        }
    }

    /// The schema of the arguments.
    fn schema(&self, of: &TokenStream) -> TokenStream {
        match &self.argument {
            None => quote!(::deskhand_sdk::plugin::description::no_arguments()),
            Some(argument) => quote_spanned!(argument.span()=> ::deskhand_sdk::schema::#of::<#argument>()),
        }
    }

    /// A function of ours, placed where the return type is written, so that a type that does not fit is shown there.
    fn output_span(&self, function: &TokenStream) -> TokenStream {
        let span = self.returned.span();
        function
            .clone()
            .into_iter()
            .map(|mut token| {
                token.set_span(span.resolved_at(token.span()));
                token
            })
            .collect()
    }
}

fn name(said: &Said, function: &ItemFn) -> syn::Result<String> {
    if let Some(name) = &said.name {
        return Ok(LitStr::value(name));
    }
    let ident = &function.sig.ident;
    let name = ident.to_string().trim_start_matches("r#").replace('_', "-");
    attributes::check_name(&name, ident.span())?;
    Ok(name)
}

fn documented(function: &ItemFn, what_for: &str) -> syn::Result<String> {
    let doc = attributes::doc(&function.attrs);
    if doc.is_empty() {
        return Err(syn::Error::new(
            function.sig.ident.span(),
            format!("write a doc comment (`///`): it is {what_for}"),
        ));
    }
    Ok(doc)
}

/// The conditions under which the function is there at all.
fn cfgs(function: &ItemFn) -> Vec<&syn::Attribute> {
    function.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn error(result: syn::Result<TokenStream>) -> String {
        result.err().unwrap().to_string()
    }

    #[test]
    fn a_function_that_cannot_be_a_command_is_refused_with_what_to_do() {
        let command = |item| error(expand_command(TokenStream::new(), item));
        assert_eq!(
            command(quote!(
                fn f() -> Result<()> {}
            )),
            "write a doc comment (`///`): it is the sentence that the person sees"
        );
        assert_eq!(
            command(quote!(
                #[doc = "x"]
                fn f() {}
            )),
            "a command returns a Result: `-> deskhand_sdk::Result<()>` at least"
        );
        assert_eq!(
            command(quote!(
                #[doc = "x"]
                fn f(a: A, b: B) -> Result<()> {}
            )),
            "a command takes one argument: put the values into one struct with Deserialize and JsonSchema"
        );
        assert_eq!(
            command(quote!(
                #[doc = "x"]
                async fn f() -> Result<()> {}
            )),
            "a command is a plain function: the host does the waiting"
        );
        assert_eq!(
            command(quote!(
                #[doc = "x"]
                fn f<T>(a: T) -> Result<()> {}
            )),
            "a command has no type parameters"
        );
        assert_eq!(
            command(quote!(
                #[doc = "x"]
                fn f(&self) -> Result<()> {}
            )),
            "a command is a free function, without `self`"
        );
        assert_eq!(
            command(quote!(
                #[doc = "x"]
                fn Übung() -> Result<()> {}
            )),
            "a name is 1 to 64 of a-z, 0-9 and `-`, starting with a letter"
        );
    }

    #[test]
    fn an_agent_takes_its_task_first() {
        let item = quote!(
            #[doc = "x"]
            fn f(input: Input) -> Result<Profile> {}
        );
        assert_eq!(
            error(expand_agent(TokenStream::new(), item)),
            "an agent takes its task first: `fn name(task: &str, input: Input)`, or the task alone"
        );
        let item = quote!(
            #[doc = "x"]
            fn f(task: &str) -> Result<Profile> {}
        );
        assert_eq!(error(expand_agent(quote!(tier = "best"), item)), "a tier is \"fast\", \"balanced\" or \"deep\"");
    }

    #[test]
    fn a_tool_needs_a_title() {
        assert_eq!(
            error(expand_tool(
                TokenStream::new(),
                quote!(
                    #[doc = "x"]
                    fn f() -> Result<()> {}
                )
            )),
            "a tool needs a title for the person: #[tool(title = \"…\")]"
        );
    }
}
