// Step Back Into and Step Back Out, which the protocol and the editor do not have.
import * as vscode from "vscode";
import { Replays, chosenThread, command } from "./replays";

export function registerStepping(replays: Replays): vscode.Disposable[] {
  const step = (id: string): vscode.Disposable =>
    command(id, async () => {
      const replay = replays.replay();
      await replay?.session.customRequest(`retrostep/${id}`, { threadId: chosenThread(replay.position) });
    });
  return [step("stepBackInto"), step("stepBackOut")];
}
