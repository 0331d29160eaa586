//! `plugin!`: the exports of the component, and, natively, the description that the build reads.

use crate::function::{agent_loop_type, agent_type, command_type, tool_type};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{
    Path, Token, Type, bracketed,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

/// What is written in `plugin!`.
#[derive(Default)]
struct Plugin {
    commands: Vec<Path>,
    tools: Vec<Path>,
    skill: Option<Path>,
    extractor: Option<Path>,
    agent: Option<Path>,
    agent_loop: Option<Path>,
    config: Option<Type>,
}

impl Parse for Plugin {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut plugin = Self::default();
        let mut seen: Vec<Ident> = Vec::new();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            if seen.contains(&key) {
                return Err(syn::Error::new(key.span(), format!("`{key}` is written twice")));
            }
            input.parse::<Token![:]>()?;
            match key.to_string().as_str() {
                "commands" => plugin.commands = paths(input)?,
                "tools" => plugin.tools = paths(input)?,
                "skill" => plugin.skill = Some(input.parse()?),
                "extractor" => plugin.extractor = Some(input.parse()?),
                "agent" => plugin.agent = Some(input.parse()?),
                "agent_loop" => plugin.agent_loop = Some(input.parse()?),
                "config" => plugin.config = Some(input.parse()?),
                _ => {
                    let message =
                        "a plugin has `commands`, `tools`, `skill`, `extractor`, `agent` or `agent_loop`, and `config`";
                    return Err(syn::Error::new(key.span(), message));
                }
            }
            seen.push(key);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        if plugin.agent.is_some()
            && let Some(own) = &plugin.agent_loop
        {
            return Err(syn::Error::new_spanned(own, "a plugin has one sub-agent: `agent` or `agent_loop`"));
        }
        let agent = plugin.agent.as_ref().or(plugin.agent_loop.as_ref());
        let none = plugin.commands.is_empty() && plugin.tools.is_empty() && plugin.skill.is_none();
        if none && plugin.extractor.is_none() && agent.is_none() {
            let message = "name a command, a tool, a skill, an extractor or an agent: plugin! { commands: [organize] }";
            return Err(input.error(message));
        }
        Ok(plugin)
    }
}

fn paths(input: ParseStream<'_>) -> syn::Result<Vec<Path>> {
    let list;
    bracketed!(list in input);
    Ok(Punctuated::<Path, Token![,]>::parse_terminated(&list)?.into_iter().collect())
}

/// The path of the type that stands beside a function.
fn beside(path: &Path, name: fn(&Ident) -> Ident) -> Path {
    let mut path = path.clone();
    if let Some(last) = path.segments.last_mut() {
        let span = last.ident.span();
        last.ident = name(&last.ident);
        last.ident.set_span(span);
    }
    path
}

pub(crate) fn expand(input: TokenStream) -> syn::Result<TokenStream> {
    let Plugin { commands, tools, skill, extractor, agent, agent_loop, config } = syn::parse2(input)?;
    let commands: Vec<Path> = commands.iter().map(|path| beside(path, command_type)).collect();
    let tools: Vec<Path> = tools.iter().map(|path| beside(path, tool_type)).collect();
    let agent = agent.as_ref().map(|path| beside(path, agent_type));
    let agent_loop = agent_loop.as_ref().map(|path| beside(path, agent_loop_type));
    let skill_export = skill.as_ref().map(export_skill);
    let extractor_export = extractor.as_ref().map(export_extractor);
    let agent_export = agent.as_ref().map(export_agent).or(agent_loop.as_ref().map(export_agent_loop));
    let optional = |described: Option<TokenStream>| match described {
        None => quote!(::std::option::Option::None),
        Some(described) => quote!(::std::option::Option::Some(#described)),
    };
    let skill = optional(skill.map(|skill| quote!(#skill.describe())));
    let extractor = optional(extractor.map(|extractor| quote!(#extractor.describe())));
    let agent = agent.map(|agent| quote!(<#agent as ::deskhand_sdk::plugin::Agent>::describe()));
    let agent_loop = agent_loop.map(|own| quote!(<#own as ::deskhand_sdk::plugin::AgentLoop>::describe()));
    let agent = optional(agent.or(agent_loop));
    let command_export = (!commands.is_empty()).then(|| export_commands(&commands));
    let tool_export = (!tools.is_empty()).then(|| export_tools(&tools));
    let config = match config {
        None => quote!(::std::option::Option::None),
        Some(config) => quote!(::std::option::Option::Some(::deskhand_sdk::schema::of::<#config>())),
    };
    Ok(quote! {
        #command_export
        #tool_export
        #skill_export
        #extractor_export
        #agent_export

        /// What the manifest says of this plugin's abilities.
        #[cfg(not(target_family = "wasm"))]
        #[doc(hidden)]
        pub fn __deskhand_description() -> ::deskhand_sdk::plugin::description::Plugin {
            ::deskhand_sdk::plugin::description::Plugin {
                interface: ::std::string::String::from(::deskhand_sdk::INTERFACE),
                commands: ::std::vec![#(<#commands as ::deskhand_sdk::plugin::Command>::describe()),*],
                tools: ::std::vec![#(<#tools as ::deskhand_sdk::plugin::Tool>::describe()),*],
                skill: #skill,
                agent: #agent,
                extractor: #extractor,
                config: #config,
            }
        }

        #[cfg(all(test, not(target_family = "wasm")))]
        #[test]
        fn deskhand_description() -> ::std::io::Result<()> {
            ::deskhand_sdk::plugin::description::hand_over(&__deskhand_description())
        }
    })
}

fn export_commands(commands: &[Path]) -> TokenStream {
    quote! {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, missing_docs)]
        const _: () = {
            use ::deskhand_sdk::bindings::{command as role, deskhand::plugin::types};
            use role::exports::deskhand::plugin::command::{Guest, Reply};

            struct Commands;

            impl Guest for Commands {
                fn run(name: ::std::string::String, arguments: ::std::string::String)
                    -> ::std::result::Result<Reply, types::Error>
                {
                    #(if name == <#commands as ::deskhand_sdk::plugin::Command>::NAME {
                        return <#commands as ::deskhand_sdk::plugin::Command>::run(&arguments)
                            .map(::std::convert::Into::into)
                            .map_err(::std::convert::Into::into);
                    })*
                    ::deskhand_sdk::plugin::unknown::<::deskhand_sdk::Reply>("command", &name)
                        .map(::std::convert::Into::into)
                        .map_err(::std::convert::Into::into)
                }
            }

            role::export!(Commands with_types_in role);
        };
    }
}

fn export_tools(tools: &[Path]) -> TokenStream {
    quote! {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, missing_docs)]
        const _: () = {
            use ::deskhand_sdk::bindings::{tools as role, deskhand::plugin::types};
            use role::exports::deskhand::plugin::tools::Guest;

            struct Tools;

            impl Guest for Tools {
                fn call(tool: ::std::string::String, arguments: ::std::string::String)
                    -> ::std::result::Result<types::ToolOutput, types::Error>
                {
                    #(if tool == <#tools as ::deskhand_sdk::plugin::Tool>::NAME {
                        return <#tools as ::deskhand_sdk::plugin::Tool>::call(&arguments)
                            .map(::std::convert::Into::into)
                            .map_err(::std::convert::Into::into);
                    })*
                    ::deskhand_sdk::plugin::unknown::<::deskhand_sdk::ToolOutput>("tool", &tool)
                        .map(::std::convert::Into::into)
                        .map_err(::std::convert::Into::into)
                }
            }

            role::export!(Tools with_types_in role);
        };
    }
}

fn export_skill(skill: &Path) -> TokenStream {
    quote! {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, missing_docs)]
        const _: () = {
            use ::deskhand_sdk::bindings::{skill as role, deskhand::plugin::types};
            use role::exports::deskhand::plugin::skill::{Guest, Guidance};

            struct Skill;

            impl Guest for Skill {
                fn open(_: ::std::string::String, _: ::std::string::String)
                    -> ::std::result::Result<Guidance, types::Error>
                {
                    ::std::result::Result::Ok(#skill.open().into())
                }

                fn read(path: ::std::string::String) -> ::std::result::Result<types::Content, types::Error> {
                    #skill.read(&path).map(::std::convert::Into::into).map_err(::std::convert::Into::into)
                }
            }

            role::export!(Skill with_types_in role);
        };
    }
}

fn export_extractor(extractor: &Path) -> TokenStream {
    quote! {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, missing_docs)]
        const _: () = {
            use ::deskhand_sdk::bindings::{extractor as role, deskhand::plugin::types};
            use role::exports::deskhand::plugin::extractor::{Extracted, Guest};

            struct Extractor;

            impl Guest for Extractor {
                fn extract(
                    media_type: ::std::string::String,
                    document: ::std::vec::Vec<u8>,
                    options: ::std::string::String,
                ) -> ::std::result::Result<Extracted, types::Error> {
                    #extractor
                        .extract(&media_type, document, &options)
                        .map(::std::convert::Into::into)
                        .map_err(::std::convert::Into::into)
                }
            }

            role::export!(Extractor with_types_in role);
        };
    }
}

fn export_agent(agent: &Path) -> TokenStream {
    quote! {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, missing_docs)]
        const _: () = {
            use ::deskhand_sdk::bindings::{agent as role, deskhand::plugin::types};
            use role::exports::deskhand::plugin::agent::{Guest, Profile};

            struct Agent;

            impl Guest for Agent {
                fn brief(task: ::std::string::String, input: ::std::string::String)
                    -> ::std::result::Result<Profile, types::Error>
                {
                    <#agent as ::deskhand_sdk::plugin::Agent>::brief(&task, &input)
                        .map(::std::convert::Into::into)
                        .map_err(::std::convert::Into::into)
                }
            }

            role::export!(Agent with_types_in role);
        };
    }
}

fn export_agent_loop(agent: &Path) -> TokenStream {
    quote! {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, missing_docs)]
        const _: () = {
            use ::deskhand_sdk::bindings::{agent_loop as role, deskhand::plugin::types};
            use role::exports::deskhand::plugin::agent_loop::Guest;

            struct AgentLoop;

            impl Guest for AgentLoop {
                fn run(task: ::std::string::String, input: ::std::string::String)
                    -> ::std::result::Result<::std::vec::Vec<types::Content>, types::Error>
                {
                    <#agent as ::deskhand_sdk::plugin::AgentLoop>::run(&task, &input)
                        .map(|content| content.into_iter().map(::std::convert::Into::into).collect())
                        .map_err(::std::convert::Into::into)
                }
            }

            role::export!(AgentLoop with_types_in role);
        };
    }
}
