// In a replay the editor asks the debugger for hovers. The value's history, which comes from the language server,
// is shown instead: the editor turns to it where nothing under the pointer can be evaluated.
import * as vscode from "vscode";
import { TYPE } from "./adapter";
import { DOCUMENTS } from "./client";

export function registerHoverInReplay(): vscode.Disposable[] {
  let provider: vscode.Disposable | undefined;
  // Registered in our sessions only, because it would replace the editor's own way in all others.
  const update = (): void => {
    const wanted =
      vscode.debug.activeDebugSession?.type === TYPE &&
      vscode.workspace.getConfiguration("retrostep").get("hover.inReplay") !== "tree";
    if (wanted && provider === undefined) {
      provider = vscode.languages.registerEvaluatableExpressionProvider(DOCUMENTS, {
        provideEvaluatableExpression: () => undefined,
      });
    } else if (!wanted) {
      provider?.dispose();
      provider = undefined;
    }
  };
  update();
  return [
    vscode.debug.onDidChangeActiveDebugSession(update),
    vscode.workspace.onDidChangeConfiguration(update),
    { dispose: () => provider?.dispose() },
  ];
}
