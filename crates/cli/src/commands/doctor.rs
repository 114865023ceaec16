//! `doctor`.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;
use jerry_application::{Doctor, Request};
use jerry_domain::ports::{Ailment, Finding, Repair, Severity};
use serde_json::json;

use super::Outcome;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Paint, Style, line};
use crate::session::Session;
use crate::settings::{Misfit, Origin};

/// What `doctor` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Put right what can be put right without losing anything, after a backup
    #[arg(long)]
    fix: bool,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let store = session.store()?;
        let doctor = Doctor::new(store.ports.clone(), store.care.clone());
        let mut checkup = if self.fix {
            let report = doctor.fix(&Request::new(session.actor()?)).await?;
            Checkup { repairs: report.repairs, findings: report.remaining }
        } else {
            Checkup { repairs: Vec::new(), findings: doctor.examine().await? }
        };
        let root = &session.place()?.root;
        let misfits = session.settings()?.misfits();
        checkup.findings.extend(misfits.map(|misfit| finding(misfit, root)));
        Ok(Box::new(checkup))
    }
}

/// What is wrong with a setting. A gate that nobody understands lets nothing be completed, whether it
/// is its name or its value; any other name may be one of a later version.
fn finding(misfit: Misfit, root: &Path) -> Finding {
    let (is_unknown, is_gate) = (misfit.fault.is_none(), misfit.is_gate());
    let path = match &misfit.origin {
        Origin::File(path) => Some(path.strip_prefix(root).unwrap_or(path).display().to_string()),
        _ => None,
    };
    let said = match misfit.fault {
        None => "there is no such setting".to_owned(),
        Some(fault) => fault,
    };
    let until = if is_gate {
        "; no item is completed until that is put right, by `jerry config unset` for example"
    } else {
        ""
    };
    Finding {
        ailment: if is_unknown && !is_gate {
            Ailment::UnknownSetting
        } else {
            Ailment::InvalidSetting
        },
        path,
        item: None,
        message: format!("setting {}: {said}{until}", misfit.name),
        fixable: false,
    }
}

struct Checkup {
    repairs: Vec<Repair>,
    findings: Vec<Finding>,
}

impl Checkup {
    fn broken(&self) -> usize {
        let broken = |finding: &&Finding| finding.ailment.severity() == Severity::Broken;
        self.findings.iter().filter(broken).count()
    }
}

impl Answer for Checkup {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let finding = |finding: &Finding| {
            let mut value = serde_json::to_value(finding)?;
            value["severity"] = serde_json::to_value(finding.ailment.severity())?;
            Ok::<_, serde_json::Error>(value)
        };
        let findings = self.findings.iter().map(finding).collect::<Result<Vec<_>, _>>()?;
        json.answer(
            "doctor",
            &json!({
                "healthy": self.broken() == 0,
                "findings": findings,
                "repairs": self.repairs,
            }),
        )
    }

    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        for Repair { finding, action } in &self.repairs {
            let fixed = style.paint(Paint::Green, "fixed");
            let (path, message) = (path_of(finding), line(&finding.message));
            writeln!(out, "{fixed}   {}{message}: {}", line(&path), line(action))?;
        }
        for finding in &self.findings {
            let severity = match finding.ailment.severity() {
                Severity::Broken => style.paint(Paint::Red, "broken"),
                Severity::Notice => style.paint(Paint::Yellow, "notice"),
            };
            let path = path_of(finding);
            let fixable = if finding.fixable { " (--fix repairs it)" } else { "" };
            writeln!(out, "{severity}  {}{}{fixable}", line(&path), line(&finding.message))?;
        }
        if self.findings.is_empty() {
            writeln!(out, "the store is healthy")?;
        }
        Ok(())
    }

    /// Notices cost time or wait for a person; only what is broken decides the exit status.
    fn complaint(&self) -> Option<Failure> {
        let broken = self.broken();
        (broken > 0).then(|| {
            let failure = Failure::new(Code::Unhealthy, broken_things(broken));
            if self.findings.iter().any(|finding| finding.fixable) {
                failure.hint("`jerry doctor --fix` repairs what it can, after a backup")
            } else {
                failure
            }
        })
    }
}

fn path_of(finding: &Finding) -> String {
    finding.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default()
}

fn broken_things(count: usize) -> String {
    match count {
        1 => "one thing is broken in this store".to_owned(),
        count => format!("{count} things are broken in this store"),
    }
}
