//! `deskhand model …`

use super::{add, allow, list, presets, remove, select, test};
use crate::{cli::Json, failure::Result, keys::Source};
use deskhand_models::{Money, Wire};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ModelCommand {
    /// Add a model, or change one that is there
    Add(Add),
    /// List the models, and the one that works on your requests
    List(Json),
    /// Send a few words to a model, and say what came back, how long it took and what it cost
    Test(Tested),
    /// Choose the model that works on your requests
    Use(Named),
    /// Agree in advance that what you ask and what tasks read goes to a model's host
    Allow(Named),
    /// Forget a model, and its key where no other model has the same
    Remove(Named),
}

impl ModelCommand {
    pub(crate) fn run(&self) -> Result {
        match self {
            Self::Add(options) => add::run(options),
            Self::List(options) => list::run(options),
            Self::Test(options) => test::run(options),
            Self::Use(options) => select::run(options),
            Self::Allow(options) => allow::run(options),
            Self::Remove(options) => remove::run(options),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    /// What you call it
    pub(super) name: String,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Tested {
    /// What you call it; without it, the one that works on your requests
    pub(super) name: Option<String>,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "What you do not give of a model that is there stays as it is. At another host it is another model: you are asked first, and nothing that you set for the one before goes there."
)]
pub(crate) struct Add {
    /// What you want to call it
    pub(super) name: String,
    /// One of the usual servers, which brings the address and how it is spoken to
    #[arg(long, value_name = "SERVER", value_parser = clap::builder::PossibleValuesParser::new(presets::names()))]
    pub(super) preset: Option<String>,
    /// What the server calls the model; without it, you choose from those that it offers
    #[arg(long)]
    pub(super) model: Option<String>,
    /// The base address of the server
    #[arg(long)]
    pub(super) url: Option<String>,
    /// How the server is spoken to
    #[arg(long)]
    pub(super) wire: Option<Spoken>,
    #[command(flatten)]
    pub(super) key: Key,
    /// What a million tokens cost that it reads
    #[arg(long, value_name = "MONEY", requires = "price_output")]
    pub(super) price_input: Option<Money>,
    /// What a million tokens cost that it writes
    #[arg(long, value_name = "MONEY", requires = "price_input")]
    pub(super) price_output: Option<Money>,
    /// How much it can hold, in tokens
    #[arg(long, value_name = "TOKENS")]
    pub(super) context: Option<u64>,
    /// Do not ask before it takes the place of a model of this name at another host
    #[arg(long, short)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Key {
    #[command(flatten)]
    pub(super) source: Source,
    /// The server wants no key
    #[arg(long, group = "from", conflicts_with = "key_in_file")]
    pub(super) no_key: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Spoken {
    /// Anthropic Messages
    Anthropic,
    /// OpenAI's chat completions
    Chat,
}

impl From<Spoken> for Wire {
    fn from(spoken: Spoken) -> Self {
        match spoken {
            Spoken::Anthropic => Self::Anthropic,
            Spoken::Chat => Self::Chat,
        }
    }
}
