// The status bar: how far a recording is, where a replay stands.
import * as vscode from "vscode";
import { Replays } from "./replays";

export function registerStatus(replays: Replays): vscode.Disposable[] {
  const item = vscode.window.createStatusBarItem("retrostep.position", vscode.StatusBarAlignment.Left, 0);
  item.name = "Retrostep Position";
  const show = (): void => {
    const position = replays.position;
    if (position === undefined) {
      item.hide();
      return;
    }
    const isReplay = position.state === "replaying";
    item.text = `$(${isReplay ? "history" : "record"}) ${position.status}`;
    item.tooltip = position.tooltip;
    item.command = isReplay ? "retrostep.goToMoment" : undefined;
    item.accessibilityInformation = { label: `Retrostep: ${position.status}` };
    item.show();
  };
  return [item, replays.onDidChange(show)];
}
