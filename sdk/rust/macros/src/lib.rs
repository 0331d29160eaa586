//! The attributes and the macro that make a plugin of functions. Use them through `deskhand_sdk`, whose documentation
//! shows them.

mod attributes;
mod function;
mod plugin;

use proc_macro::TokenStream;

/// A slash command: a function with one argument of a type that is read from JSON and has a schema, or with none. It
/// returns a `Result` whose value becomes a reply.
///
/// The first paragraph of the doc comment is the sentence that the person sees. In the attribute:
///
/// - `name = "…"`: what the person types after `/`; the function's name with `-` for `_` if left out
/// - `forms = ["by {by}"]`: how the arguments are written in words; literal words, and properties in braces
/// - `triggers = ["sort files by type"]`: requests in plain words that it serves
/// - `not_for = ["sort this table"]`: requests that sound alike and that it does not serve
#[proc_macro_attribute]
pub fn command(attribute: TokenStream, item: TokenStream) -> TokenStream {
    function::expand_command(attribute.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// A tool for models and other plugins: a function with one argument of a type that is read from JSON and has a schema, or
/// with none. It returns a `Result` of a value that is written as JSON and has a schema, or of content.
///
/// The doc comment is the description that the model sees. In the attribute:
///
/// - `name = "…"`: the function's name with `-` for `_` if left out
/// - `title = "…"`: for the person; required
/// - `read_only`: it only reads
#[proc_macro_attribute]
pub fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    function::expand_tool(attribute.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// A sub-agent: a function that takes a task in words, and beside it one argument of a type that is read from JSON and has
/// a schema, or nothing. It returns a `Result` of a `Profile`: who works on that task, and with what.
///
/// The doc comment is what the agent reads that gives it work. In the attribute:
///
/// - `name = "…"`: the function's name with `-` for `_` if left out
/// - `tier = "…"`: how able a model it needs: `fast`, `balanced` (if left out) or `deep`
#[proc_macro_attribute]
pub fn agent(attribute: TokenStream, item: TokenStream) -> TokenStream {
    function::expand_agent(attribute.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// A sub-agent that runs itself, over `model` and `toolbox`: a function of its task in words, and what goes with it, to what it
/// answers: a text, a [`Content`](../deskhand_sdk/struct.Content.html) or several. It takes what `#[agent]` takes.
#[proc_macro_attribute]
pub fn agent_loop(attribute: TokenStream, item: TokenStream) -> TokenStream {
    function::expand_agent_loop(attribute.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// What the plugin has: `plugin! { commands: [organize], tools: [find], config: Settings }`. Once in a crate, at its
/// root. Each name is a path to a function with `#[command]` or `#[tool]`; `config` is the type of the configuration. A
/// plugin has one `skill` and one `extractor` at most, the paths of constants, and one `agent`, the path of a function with `#[agent]`.
#[proc_macro]
pub fn plugin(input: TokenStream) -> TokenStream {
    plugin::expand(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
