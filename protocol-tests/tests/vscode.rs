//! The extension in the real VS Code: the first step back as the README has it, and what else it shows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use protocol_tests::programs::checkout;
use protocol_tests::pythons;
use protocol_tests::run::succeed;
use protocol_tests::skip::skip;

const TEST: &str = "the_first_step_back_in_vs_code";
const START_LIMIT: Duration = Duration::from_secs(120);
const CONVERSATION_LIMIT: Duration = Duration::from_secs(300);

/// What makes the window the same on every machine.
const SETTINGS: &str = r#"{
    "workbench.startupEditor": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "security.workspace.trust.enabled": false,
    "chat.disableAIFeatures": true,
    "extensions.autoUpdate": false,
    "debug.openDebug": "openOnSessionStart",
    "editor.codeLens": true,
    "editor.inlayHints.enabled": "on"
}"#;

/// No extensions are offered, so that nothing is looked up.
const NO_GALLERY: &str = r#"{"serviceUrl":"","itemUrl":"","resourceUrlTemplate":""}"#;

#[test]
fn the_first_step_back_in_vs_code() -> Result<()> {
    let cache = std::env::var_os("RETROSTEP_TEST_CACHE").map(PathBuf::from);
    let pictures = cache.as_ref().map(|cache| cache.join("pictures/vscode"));
    let installed = cache.map(|cache| cache.join("vscode"));
    let Some(installed) = installed.filter(|folder| folder.join("installed.txt").exists()) else {
        skip(
            TEST,
            "code-server is not installed; cargo xtask test installs it",
        );
        return Ok(());
    };
    let Some(chromium) = on_path("chromium") else {
        skip(TEST, "chromium is not installed");
        return Ok(());
    };
    let Some(python) = pythons::newest() else {
        skip(TEST, "no Python from 3.9 to 3.14 was found");
        return Ok(());
    };
    if !packages_are_installed(TEST) {
        return Ok(());
    }
    let pictures = pictures.unwrap_or_else(|| checkout().join("target"));
    std::fs::create_dir_all(&pictures)?;
    let folder = tempfile::tempdir()?;
    let place = Place {
        installed,
        folder: folder.path().to_owned(),
    };
    place.fill(&python.path)?;
    place.install_extension()?;
    let (server, address) = place.serve()?;
    let url = format!(
        "{address}/?folder={}",
        place.folder.join("workspace").display()
    );
    let mut conversation = place.node(&checkout().join("protocol-tests/vscode.js"));
    conversation
        .arg(url)
        .arg(chromium)
        .arg(place.folder.join("profile"))
        .arg(pictures)
        .env("NODE_PATH", place.installed.join("node_modules"));
    let outcome = succeed(&mut conversation, CONVERSATION_LIMIT);
    drop(server);
    outcome?;
    let recordings = place
        .folder
        .join("workspace/.retrostep/recordings")
        .read_dir()
        .context("the recording lies in the workspace's library")?;
    ensure!(recordings.count() == 1);
    Ok(())
}

#[test]
fn the_extension_finds_the_program_or_says_that_it_is_missing() -> Result<()> {
    let Some(node) = on_path("node") else {
        skip("the_extension_finds_the_program", "node is not installed");
        return Ok(());
    };
    if !packages_are_installed("the_extension_finds_the_program") {
        return Ok(());
    }
    npm_run(&["build"], None)?;
    let folder = tempfile::tempdir()?;
    let mut check = Command::new(node);
    check
        .arg(checkout().join("protocol-tests/extension.js"))
        .arg(extension().join("dist/extension.js"))
        .arg(folder.path());
    succeed(&mut check, START_LIMIT)?;
    Ok(())
}

fn extension() -> PathBuf {
    checkout().join("extensions/vscode")
}

/// Whether what the extension is built with is there; else the test is skipped.
fn packages_are_installed(test: &str) -> bool {
    let is_there =
        extension().join("node_modules/installed.txt").exists() && on_path("npm").is_some();
    if !is_there {
        skip(
            test,
            "the extension's packages are not installed; cargo xtask test installs them",
        );
    }
    is_there
}

/// Runs one of the extension's scripts.
fn npm_run(arguments: &[&str], out: Option<&Path>) -> Result<()> {
    /// The tests share the folder that the scripts write.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut npm = Command::new("npm");
    npm.arg("run")
        .args(arguments)
        .current_dir(extension())
        .stdin(Stdio::null());
    if let Some(out) = out {
        npm.args(["--", "--out"]).arg(out);
    }
    succeed(&mut npm, START_LIMIT)?;
    Ok(())
}

/// What is installed, and a folder for this test.
struct Place {
    installed: PathBuf,
    folder: PathBuf,
}

/// A running server, which is ended when dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It ends its own children when asked politely.
        let asked = Command::new("kill").arg(self.0.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while asked.is_ok() && matches!(self.0.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Place {
    /// Makes the programs on PATH, the settings, and a workspace with the README's launch.json.
    fn fill(&self, python: &Path) -> Result<()> {
        let bin = self.folder.join("bin");
        let workspace = self.folder.join("workspace");
        let user = self.folder.join("user/User");
        for folder in [
            &bin,
            &workspace.join(".vscode"),
            &workspace.join(".git"),
            &user,
        ] {
            std::fs::create_dir_all(folder)?;
        }
        let retrostep = Path::new(env!("CARGO_BIN_EXE_retrostep"));
        std::os::unix::fs::symlink(retrostep, bin.join("retrostep"))?;
        std::os::unix::fs::symlink(python, bin.join("python3"))?;
        std::fs::write(user.join("settings.json"), SETTINGS)?;
        let readme = std::fs::read_to_string(checkout().join("README.md"))?;
        let configuration = readme
            .lines()
            .find(|line| line.starts_with("{ \"type\": \"retrostep\", \"request\": \"launch\""))
            .context("the README's configuration")?;
        std::fs::write(
            workspace.join(".vscode/launch.json"),
            format!("{{ \"version\": \"0.2.0\", \"configurations\": [{configuration}] }}"),
        )?;
        for file in ["replay_orders.py", "orders.py", "orders.csv", "pricing.py"] {
            let sample = checkout().join("samples/python/shop").join(file);
            std::fs::copy(&sample, workspace.join(file))
                .with_context(|| format!("copy {}", sample.display()))?;
        }
        Ok(())
    }

    fn install_extension(&self) -> Result<()> {
        let package = self.folder.join("retrostep.vsix");
        npm_run(&["package"], Some(&package))?;
        let mut install = self.code_server();
        install.arg("--install-extension").arg(&package);
        succeed(&mut install, START_LIMIT)?;
        Ok(())
    }

    /// Starts the server; returns its address.
    fn serve(&self) -> Result<(Server, String)> {
        let mut child = self
            .code_server()
            .args(["--bind-addr", "127.0.0.1:0", "--auth", "none"])
            .args(["--disable-telemetry", "--disable-update-check"])
            .args([
                "--disable-workspace-trust",
                "--disable-getting-started-override",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().context("the server's output")?;
        let server = Server(child);
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens once the address is known; the pipe has to be emptied still.
                let _ = sender.send(line);
            }
        });
        let deadline = Instant::now() + START_LIMIT;
        let mut said = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some((_, address)) = line.split_once("listening on ") {
                        return Ok((server, address.trim().trim_end_matches('/').to_owned()));
                    }
                    said.push(line);
                }
                Err(RecvTimeoutError::Timeout) => bail!("the server does not listen: {said:?}"),
                Err(RecvTimeoutError::Disconnected) => bail!("the server ended: {said:?}"),
            }
        }
    }

    fn code_server(&self) -> Command {
        let entry = "node_modules/code-server/out/node/entry.js";
        let mut command = self.node(&self.installed.join(entry));
        for (option, name) in [
            ("--user-data-dir", "user"),
            ("--extensions-dir", "extensions"),
            ("--config", "config.yaml"),
        ] {
            command.arg(option).arg(self.folder.join(name));
        }
        command
            .env("EXTENSIONS_GALLERY", NO_GALLERY)
            // Else the editor takes the PATH of a login shell.
            .env("VSCODE_CLI", "1");
        command
    }

    /// Node with a script of its own world: this test's programs first on PATH, its folder as home.
    fn node(&self, script: &Path) -> Command {
        let mut path = OsString::from(self.folder.join("bin"));
        path.push(":/usr/local/bin:/usr/bin:/bin");
        let mut command = Command::new(self.installed.join("bin/node"));
        command
            .arg(script)
            .env("PATH", path)
            .env("HOME", &self.folder)
            .env_remove("XDG_DATA_HOME")
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        command
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}
