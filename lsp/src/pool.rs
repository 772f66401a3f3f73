//! The threads that answer requests.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;

/// How many requests are answered at the same time.
const THREADS: usize = 3;

/// Something to do.
pub(crate) type Work = Box<dyn FnOnce() + Send>;

/// The threads; they end when this is dropped and what they do is done.
#[derive(Debug)]
pub(crate) struct Pool {
    threads: Vec<Sender<Work>>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// What no thread was free for.
    waiting: VecDeque<Work>,
    /// The threads that have nothing to do, the one that worked last at the end. It is the next to get
    /// work: each thread keeps the memory that its work took for the next one.
    idle: Vec<usize>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("waiting", &self.waiting.len())
            .field("idle", &self.idle)
            .finish()
    }
}

impl Pool {
    pub(crate) fn start() -> anyhow::Result<Pool> {
        let shared = Arc::new(Mutex::new(Shared {
            waiting: VecDeque::new(),
            idle: (0..THREADS).rev().collect(),
        }));
        let mut threads = Vec::new();
        for number in 0..THREADS {
            let (sender, queue) = channel();
            let shared = shared.clone();
            std::thread::Builder::new()
                .name(format!("request {}", number + 1))
                .spawn(move || run(number, &queue, &shared))
                .context("start a thread that answers requests")?;
            threads.push(sender);
        }
        Ok(Pool { threads, shared })
    }

    /// Does it when a thread is free, in the order of asking.
    pub(crate) fn post(&self, work: Work) {
        let mut shared = lock(&self.shared);
        let free = shared.idle.pop();
        match free.and_then(|number| self.threads.get(number)) {
            Some(thread) => {
                if thread.send(work).is_err() {
                    tracing::error!("a thread that answers requests has ended");
                }
            }
            None => shared.waiting.push_back(work),
        }
    }
}

fn run(number: usize, queue: &Receiver<Work>, shared: &Mutex<Shared>) {
    let next = || {
        let mut shared = lock(shared);
        let next = shared.waiting.pop_front();
        if next.is_none() {
            shared.idle.push(number);
        }
        next
    };
    while let Ok(first) = queue.recv() {
        let mut work = Some(first);
        while let Some(now) = work {
            now();
            work = next();
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_threads_work_and_what_waits_is_done_in_its_order() {
        let pool = Pool::start().unwrap();
        let (done, heard) = channel();
        let gates: Vec<Sender<()>> = (0..THREADS + 3)
            .map(|number| {
                let (gate, opened) = channel();
                let done = done.clone();
                pool.post(Box::new(move || {
                    done.send((number, false)).unwrap();
                    opened.recv().unwrap();
                    done.send((number, true)).unwrap();
                }));
                gate
            })
            .collect();
        let mut begun: Vec<_> = heard.iter().take(THREADS).collect();
        begun.sort_unstable();
        let expected: Vec<_> = (0..THREADS).map(|number| (number, false)).collect();
        assert_eq!(begun, expected);
        for (number, gate) in gates.iter().enumerate() {
            gate.send(()).unwrap();
            assert_eq!(heard.recv().unwrap(), (number, true));
            if number < 3 {
                assert_eq!(heard.recv().unwrap(), (number + THREADS, false));
            }
        }
    }

    #[test]
    fn the_thread_that_worked_last_works_next() {
        let pool = Pool::start().unwrap();
        let (done, heard) = channel();
        let mut names = Vec::new();
        for _ in 0..10 {
            let done = done.clone();
            pool.post(Box::new(move || {
                done.send(std::thread::current().name().map(str::to_owned))
                    .unwrap();
            }));
            names.push(heard.recv().unwrap());
            while lock(&pool.shared).idle.len() < THREADS {
                std::thread::yield_now();
            }
        }
        names.dedup();
        assert_eq!(names.len(), 1);
    }
}
