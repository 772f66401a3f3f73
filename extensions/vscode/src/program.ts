// Where Retrostep's program is.
import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import * as vscode from "vscode";

const NAME = "retrostep";

/** The program, or a sentence that says why there is none. */
export type Found = { program: string; cwd: string } | { missing: string };

/** The program as the settings of a folder have it, and the folder to run it in. */
export function program(folder: vscode.Uri | undefined): Found {
  const cwd = folder?.scheme === "file" ? folder.fsPath : os.homedir();
  const wanted = vscode.workspace.getConfiguration("retrostep", folder).get<string>("path") || NAME;
  const found = find(wanted, cwd);
  if (found !== undefined) {
    return { program: found, cwd };
  }
  return {
    missing:
      wanted === NAME
        ? "Retrostep's program was not found on PATH. Install it or set retrostep.path."
        : `Retrostep's program was not found: there is no program ${wanted}. Correct retrostep.path.`,
  };
}

/** Says that there is no program, with what helps; waits for the answer. */
export async function tellMissing(sentence: string): Promise<void> {
  const answer = await vscode.window.showErrorMessage(sentence, "Check Setup", "Open Settings");
  if (answer === "Check Setup") {
    await vscode.commands.executeCommand("retrostep.checkSetup");
  } else if (answer === "Open Settings") {
    await vscode.commands.executeCommand("workbench.action.openSettings", "retrostep.path");
  }
}

/** The program that is meant by a path, or by a name on PATH or where `cargo install` puts programs. */
function find(name: string, folder: string): string | undefined {
  if (name.includes("/")) {
    const file = name.startsWith("~/") ? path.join(os.homedir(), name.slice(2)) : path.resolve(folder, name);
    return isProgram(file) ? file : undefined;
  }
  const cargo = process.env.CARGO_HOME || path.join(os.homedir(), ".cargo");
  const folders = (process.env.PATH || "").split(path.delimiter).concat(path.join(cargo, "bin"));
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => path.join(folder, name))
    .find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
