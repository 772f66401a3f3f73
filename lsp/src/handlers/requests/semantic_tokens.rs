//! `textDocument/semanticTokens/full`: lines that never ran in the recording that is shown, dimmed.

use std::collections::HashSet;

use ls_types::{
    SemanticToken, SemanticTokenModifier, SemanticTokenType, SemanticTokens,
    SemanticTokensFullOptions, SemanticTokensLegend, SemanticTokensOptions, SemanticTokensParams,
    SemanticTokensServerCapabilities, ServerCapabilities, Uri,
};
use retrostep_replay::code::Owner;
use retrostep_replay::syntax::StatementKind;

use super::{DocumentRequest, Late};
use crate::client::Client;
use crate::context::DocumentContext;
use crate::error::Result;
use crate::surveys::Surveyed;
use crate::to_proto;
use crate::view::View;

pub(super) struct DimmedLines;

impl DocumentRequest for DimmedLines {
    const METHOD: &'static str = "textDocument/semanticTokens/full";
    const LATE: Late = Late::Wrong;
    type Params = SemanticTokensParams;
    type Answer = SemanticTokens;

    fn document(params: &SemanticTokensParams) -> &Uri {
        &params.text_document.uri
    }

    fn advertise(capabilities: &mut ServerCapabilities, _client: &Client) {
        let options = SemanticTokensOptions {
            legend: SemanticTokensLegend {
                // Every theme shows comments dimmed.
                token_types: vec![SemanticTokenType::COMMENT],
                token_modifiers: vec![SemanticTokenModifier::new("notExecuted")],
            },
            range: None,
            full: Some(SemanticTokensFullOptions::Bool(true)),
            ..SemanticTokensOptions::default()
        };
        capabilities.semantic_tokens_provider = Some(
            SemanticTokensServerCapabilities::SemanticTokensOptions(options),
        );
    }

    fn answer(ctx: &DocumentContext, _params: SemanticTokensParams) -> Result<SemanticTokens> {
        let mut tokens = SemanticTokens::default();
        if !ctx.workspace.settings.dim_unexecuted {
            return Ok(tokens);
        }
        let Some(view) = ctx.view()? else {
            return Ok(tokens);
        };
        let surveyed = view.survey(ctx)?;
        let mut lines: Vec<u32> = (unexecuted(&view, &surveyed).into_iter())
            .filter_map(|line| view.mapped.lines.to_buffer(line))
            .collect();
        lines.sort_unstable();
        let encoding = ctx.workspace.client.encoding;
        let mut before = 0;
        for line in lines {
            let range = to_proto::line_range(&ctx.document.text, line, encoding);
            tokens.data.push(SemanticToken {
                delta_line: range.start.line - before,
                delta_start: range.start.character,
                length: range.end.character - range.start.character,
                token_type: 0,
                token_modifiers_bitset: 1,
            });
            before = range.start.line;
        }
        Ok(tokens)
    }
}

/// The lines of statements that have code and never ran, by the recorded text.
fn unexecuted(view: &View, surveyed: &Surveyed) -> HashSet<u32> {
    let code = &surveyed.code;
    let executed: HashSet<u32> = surveyed.survey.executed.iter().copied().collect();
    let has_code: HashSet<u32> = (code.functions().iter())
        .flat_map(|function| function.function.lines.iter().copied())
        .collect();
    let mut dimmed = HashSet::new();
    for statement in code.syntax.statements() {
        // What never ran as a whole function has no code in the recording.
        let owner = statement
            .definition
            .map_or(Owner::Module, Owner::Definition);
        let owner_ran = code.functions_of(owner).next().is_some();
        let lines = || statement.lines.clone();
        let is_code = match owner_ran {
            true => lines().any(|line| has_code.contains(&line)),
            // An `else` or `try` is as dim as what is in it.
            false => statement.kind != StatementKind::Import || statement.definition.is_some(),
        };
        if is_code && !lines().any(|line| executed.contains(&line)) {
            dimmed.extend(lines());
        }
    }
    // A line that several statements share ran if one of them did.
    dimmed.retain(|line| !executed.contains(line));
    dimmed.retain(|line| !view.mapped.recorded.line(*line).trim().is_empty());
    dimmed
}
