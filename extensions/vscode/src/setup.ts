// Whether the program is there, and the log.
import { execFile } from "child_process";
import { promisify } from "util";
import * as vscode from "vscode";
import { program } from "./program";
import { command } from "./replays";

export function registerSetup(log: vscode.LogOutputChannel): vscode.Disposable[] {
  return [
    command("showLog", async () => log.show()),
    command("checkSetup", async () => {
      const found = program(vscode.workspace.workspaceFolders?.[0]?.uri);
      if ("missing" in found) {
        const answer = await vscode.window.showErrorMessage(found.missing, "Open Settings");
        if (answer !== undefined) {
          await vscode.commands.executeCommand("workbench.action.openSettings", "retrostep.path");
        }
        return;
      }
      if (!vscode.workspace.isTrusted) {
        void vscode.window.showInformationMessage("This workspace is not trusted, so nothing is started.");
        return;
      }
      const { stdout } = await promisify(execFile)(found.program, ["--version"]);
      void vscode.window.showInformationMessage(`Retrostep is ready: ${stdout.trim()}, ${found.program}`);
    }),
  ];
}
