//! `deskhand plugin check`

use super::{Check, build, read, show};
use crate::{
    exit::Exit,
    failure::Result,
    output,
    show::{counted, line},
};
use deskhand_build::{Weight, examine};
use deskhand_runtime::inspect;
use serde_json::json;

pub(super) fn run(options: &Check) -> Result {
    let file = if options.what.is_dir() { show::near(&build::made(&options.what)?.file) } else { options.what.clone() };
    let inspection = inspect(&read(&file)?)?;
    let findings = examine(&inspection.manifest);
    let errors = findings.iter().filter(|finding| finding.weight == Weight::Error).count();
    let fits = inspection.refused.is_empty() && errors == 0;
    if options.json {
        let said = json!({ "file": file, "fits": fits, "inspection": inspection, "findings": findings });
        output::text(&show::json(&said));
        return Ok(if fits { Exit::Done } else { Exit::Failed });
    }

    let mut out = show::heading(&inspection.manifest, inspection.bytes, inspection.component);
    out.push_str(&show::rights(&inspection.manifest.asks()));
    if !inspection.refused.is_empty() {
        out.push_str("An install refuses it:\n");
        out.extend(inspection.refused.iter().map(|refused| format!("  - {}\n", line(&refused.to_string()))));
    }
    out.extend(inspection.warnings.iter().map(|warning| format!("An install warns: {}\n", line(&warning.to_string()))));
    out.push_str(&show::findings(&findings));
    let wrong = (inspection.refused.len() + errors) as u64;
    out.push_str(&match wrong {
        0 => format!(
            "It can be installed. Publish it with: deskhand market publish MARKETPLACE {}\n",
            show::argument(&file)
        ),
        wrong => format!("It cannot be used as it is: {} to mend.\n", counted(wrong, "thing")),
    });
    output::text(&out);
    Ok(if fits { Exit::Done } else { Exit::Failed })
}
