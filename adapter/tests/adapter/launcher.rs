//! A launcher that starts nothing: the test says what the recording tells.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use retrostep_adapter::{
    Launcher, RecordConsole, RecordRequest, Report, ReportSink, RunningRecording, Started,
    TerminalCommand,
};

/// What the adapter asked for.
#[derive(Default)]
pub(crate) struct Asked {
    pub request: Option<RecordRequest>,
    pub reports: Option<ReportSink>,
    pub stopped: bool,
}

#[derive(Clone, Default)]
pub(crate) struct FakeLauncher {
    pub asked: Arc<Mutex<Asked>>,
}

struct FakeRecording(Arc<Mutex<Asked>>);

impl FakeLauncher {
    /// Lets the recording tell something.
    pub(crate) fn report(&self, report: Report) {
        let reports = self.asked.lock().unwrap().reports.clone().unwrap();
        reports(report);
    }

    pub(crate) fn stopped(&self) -> bool {
        self.asked.lock().unwrap().stopped
    }
}

impl Launcher for FakeLauncher {
    fn start(
        &self,
        request: &RecordRequest,
        console: RecordConsole,
        reports: ReportSink,
    ) -> anyhow::Result<Started> {
        if request.python.as_deref() == Some("python2.7") {
            anyhow::bail!("python2.7 is Python 2.7; Retrostep records 3.9 to 3.14");
        }
        let mut asked = self.asked.lock().unwrap();
        asked.request = Some(request.clone());
        asked.reports = Some(reports);
        Ok(Started {
            recording: Box::new(FakeRecording(self.asked.clone())),
            terminal_command: (console == RecordConsole::Terminal).then(|| TerminalCommand {
                args: vec!["retrostep".into(), "record".into()],
                cwd: "/".into(),
                env: [("A".to_owned(), None)].into(),
            }),
        })
    }

    fn find_recording(&self, name: &str, _: Option<&Path>) -> anyhow::Result<PathBuf> {
        let path = PathBuf::from(name);
        anyhow::ensure!(path.exists(), "there is no recording \"{name}\"");
        Ok(path)
    }
}

impl RunningRecording for FakeRecording {
    fn stop(&mut self) {
        let mut asked = self.0.lock().unwrap();
        asked.stopped = true;
        let reports = asked.reports.clone();
        drop(asked);
        if let Some(reports) = reports {
            reports(Report::Failed {
                message: "the recording was stopped".into(),
            });
        }
    }
}
