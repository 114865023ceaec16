//! `init`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jerry_domain::Prefix;
use jerry_infra_fs::lock::LockBackend;
use serde_json::json;

use super::Outcome;
use crate::composition;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Style, line, warn};
use crate::session::Session;
use crate::settings;

/// What `init` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The letters before the number of every id [default: WORK]
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<Prefix>,
    /// How locks are made; `directory` is for network file systems whose own locks do not work
    #[arg(long, value_enum)]
    lock_backend: Option<Backend>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Backend {
    Os,
    Directory,
}

impl Arguments {
    pub(crate) fn run(self, session: &Session) -> Outcome {
        let root = session.new_place()?.root;
        let chosen = match self.lock_backend {
            Some(Backend::Directory) => LockBackend::Directory,
            Some(Backend::Os) | None => LockBackend::Os,
        };
        let first = self.prefix.as_ref().map_or_else(String::new, |prefix| {
            format!("{} = \"{prefix}\"\n", settings::PREFIX.name)
        });
        let created = match composition::init(&root, chosen, &first) {
            // Nobody asked for a way of locking, so the store's own is as good as any.
            Err(failure) if failure.code == Code::Invalid && self.lock_backend.is_none() => false,
            made => made?,
        };
        self.made(session, root, created).map_err(|failure| match created {
            true => failure.after("the store was made"),
            false => failure,
        })
    }

    /// What there is now.
    fn made(self, session: &Session, root: PathBuf, created: bool) -> Outcome {
        let settings = session.settings_of(&root)?;
        let store = composition::open(&root, &settings)?;
        store.warnings.iter().for_each(|warning| warn(warning));
        let prefix = settings.prefix()?;
        if let Some(wanted) = self.prefix.filter(|wanted| !created && *wanted != prefix) {
            let message = format!("the store at {} has the prefix {prefix}", root.display());
            return Err(Failure::new(Code::Invalid, message)
                .hint(format!("change it with `jerry config set prefix {wanted}`")));
        }
        Ok(Box::new(Made { root, created, prefix, lock_backend: store.lock_backend }))
    }
}

struct Made {
    root: PathBuf,
    created: bool,
    prefix: Prefix,
    lock_backend: LockBackend,
}

impl Answer for Made {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.answer(
            "store",
            &json!({
                "root": self.root.display().to_string(),
                "created": self.created,
                "prefix": self.prefix,
                "lock_backend": self.lock_backend,
            }),
        )
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        let root = self.root.display().to_string();
        let said = if self.created { "made a store at" } else { "there is a store already at" };
        writeln!(out, "{said} {}", line(&root))
    }
}
