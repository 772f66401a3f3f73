// Recorded values in the source, on and off.
import * as vscode from "vscode";
import { command } from "./replays";

export function registerValues(): vscode.Disposable[] {
  // The user's setting, so that no file of the workspace changes; the workspace's own one where it has one.
  const show = async (value: "hints" | "off"): Promise<void> => {
    const settings = vscode.workspace.getConfiguration("retrostep");
    const own = settings.inspect("values.show")?.workspaceValue;
    const target = own === undefined ? vscode.ConfigurationTarget.Global : vscode.ConfigurationTarget.Workspace;
    await settings.update("values.show", value, target);
  };
  return [command("hideValues", () => show("off")), command("showValues", () => show("hints"))];
}
