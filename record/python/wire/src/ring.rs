//! A ring of bytes in a shared file: one producer, one consumer, other processes.
//!
//! The data area is mapped twice in a row, so that every message is one run of bytes for both sides.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{io, mem, ptr, slice};

use crate::WIRE_VERSION;

/// Size of the data area: a power of two. Small enough to stay in a processor's cache, large enough
/// for the longest message.
pub const RING_BYTES: usize = 1 << 20;
/// The most that is pushed at once.
pub const PUSH_MAX_BYTES: usize = RING_BYTES;
/// Room for the configuration.
pub const CONFIG_MAX_BYTES: usize = (64 << 10) - HEADER_BYTES;

const HEADER_BYTES: usize = 4096;
const DATA_OFFSET: usize = 64 << 10;
const REASON_OFFSET: usize = 1024;
const REASON_MAX_BYTES: usize = 1024;
/// Where the mutex stands that the host holds while it drains the ring.
const LOCK_OFFSET: usize = 2048;
/// A wait shorter than this does not ask whether the host still lives.
const LIVENESS_CHECK_AFTER: Duration = Duration::from_millis(10);
const MAGIC: u64 = 0x0a0d_474e_4952_5452;

/// Where the recorder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum State {
    /// No Python process has claimed the ring.
    Unclaimed = 0,
    /// A process records.
    Recording = 1,
    /// A process claimed the ring and then could not record; [`Consumer::reason`] says why.
    Refused = 2,
}

/// Why a ring could not be opened.
#[derive(Debug)]
pub enum RingError {
    /// The operating system refused.
    Io(io::Error),
    /// The file is no ring, or one of another version.
    Foreign,
}

impl From<io::Error> for RingError {
    fn from(error: io::Error) -> RingError {
        RingError::Io(error)
    }
}

impl std::fmt::Display for RingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RingError::Io(error) => error.fmt(f),
            RingError::Foreign => f.write_str("not a ring of this version"),
        }
    }
}

impl std::error::Error for RingError {}

#[repr(C)]
struct Header {
    magic: u64,
    version: u32,
    config_len: u32,
    ring_len: u64,
    _pad0: [u64; 5],
    /// Process id of the producer, 0 before it is claimed.
    claimed: AtomicU32,
    state: AtomicU32,
    /// Set by the host: record nothing more.
    stop: AtomicU32,
    reason_len: AtomicU32,
    /// How often the producer waited for room.
    stalls: AtomicU64,
    _pad1: [u64; 5],
    /// Bytes produced since the start.
    head: AtomicU64,
    _pad2: [u64; 7],
    /// Bytes consumed since the start.
    tail: AtomicU64,
}

#[derive(Debug)]
struct Mapping {
    base: *mut u8,
    data: *mut u8,
}

// SAFETY: the mapping is shared memory reached only through atomics and the head/tail protocol.
unsafe impl Send for Mapping {}

impl Mapping {
    fn open(file: &File) -> Result<Mapping, RingError> {
        if file.metadata()?.len() < (DATA_OFFSET + RING_BYTES) as u64 {
            return Err(RingError::Foreign);
        }
        let fd = file.as_raw_fd();
        let total = DATA_OFFSET + 2 * RING_BYTES;
        // SAFETY: reserves fresh address space; the two fixed mappings replace parts of just that space.
        unsafe {
            let base = libc::mmap(
                ptr::null_mut(),
                total,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            );
            if base == libc::MAP_FAILED {
                return Err(io::Error::last_os_error().into());
            }
            let base = base.cast::<u8>();
            let map = |at: usize, len: usize, offset: usize| {
                libc::mmap(
                    base.add(at).cast(),
                    len,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_SHARED | libc::MAP_FIXED,
                    fd,
                    offset as libc::off_t,
                ) != libc::MAP_FAILED
            };
            let mapped = map(0, DATA_OFFSET + RING_BYTES, 0)
                && map(DATA_OFFSET + RING_BYTES, RING_BYTES, DATA_OFFSET);
            let mapping = Mapping {
                base,
                data: base.add(DATA_OFFSET),
            };
            if !mapped {
                return Err(io::Error::last_os_error().into());
            }
            let header = mapping.header();
            if header.magic != MAGIC
                || header.version != WIRE_VERSION
                || header.ring_len != RING_BYTES as u64
            {
                return Err(RingError::Foreign);
            }
            Ok(mapping)
        }
    }

    fn header(&self) -> &Header {
        // SAFETY: the first page of the mapping holds a Header; all that changes in it is atomic.
        unsafe { &*self.base.cast::<Header>() }
    }

    fn lock(&self) -> *mut libc::pthread_mutex_t {
        // SAFETY: inside the first page of the mapping, aligned, and used for nothing else.
        unsafe { self.base.add(LOCK_OFFSET).cast() }
    }

    fn config(&self) -> &[u8] {
        let len = (self.header().config_len as usize).min(CONFIG_MAX_BYTES);
        // SAFETY: the configuration area is inside the mapping and not written after creation.
        unsafe { slice::from_raw_parts(self.base.add(HEADER_BYTES), len) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what `open` mapped; no reference into it outlives the mapping.
        unsafe {
            libc::munmap(self.base.cast(), DATA_OFFSET + 2 * RING_BYTES);
        }
    }
}

/// Makes the shared file for a new ring at `path`.
///
/// # Errors
///
/// The operating system's; `InvalidInput` if the configuration is too large.
pub fn create(path: &Path, config: &[u8]) -> io::Result<()> {
    if config.len() > CONFIG_MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "configuration too large",
        ));
    }
    let mut file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    reserve(&file, DATA_OFFSET + RING_BYTES)?;
    let mut head = vec![0_u8; HEADER_BYTES];
    head[0..8].copy_from_slice(&MAGIC.to_le_bytes());
    head[8..12].copy_from_slice(&WIRE_VERSION.to_le_bytes());
    head[12..16].copy_from_slice(&(config.len() as u32).to_le_bytes());
    head[16..24].copy_from_slice(&(RING_BYTES as u64).to_le_bytes());
    file.write_all(&head)?;
    file.write_all(config)
}

/// Gives the file its full length with all the room behind it: in a full file system a file with holes
/// would end the program by SIGBUS at its first write.
fn reserve(file: &File, len: usize) -> io::Result<()> {
    // SAFETY: asks for room in a file that this function borrows.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, len as libc::off_t) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// The recorder's side.
#[derive(Debug)]
pub struct Producer {
    mapping: Mapping,
    head: u64,
    /// The tail as last seen, so that most messages touch no shared line but their own.
    seen_tail: u64,
}

impl Producer {
    /// Opens the ring at `path` without claiming it.
    ///
    /// # Errors
    ///
    /// [`RingError`].
    pub fn open(path: &Path) -> Result<Producer, RingError> {
        let file = File::options().read(true).write(true).open(path)?;
        Ok(Producer {
            mapping: Mapping::open(&file)?,
            head: 0,
            seen_tail: 0,
        })
    }

    /// The serialised configuration.
    #[must_use]
    pub fn config(&self) -> &[u8] {
        self.mapping.config()
    }

    /// Makes this process the producer. False if another process already is.
    #[must_use]
    pub fn claim(&self) -> bool {
        let header = self.mapping.header();
        let claimed = header
            .claimed
            .compare_exchange(0, std::process::id(), Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if claimed {
            header
                .state
                .store(State::Recording as u32, Ordering::Release);
        }
        claimed
    }

    /// Says why this process cannot record after all.
    pub fn refuse(&self, reason: &str) {
        let header = self.mapping.header();
        let len = reason.len().min(REASON_MAX_BYTES);
        // SAFETY: the reason area is inside the first page; the host reads it only after `state`.
        unsafe {
            ptr::copy_nonoverlapping(reason.as_ptr(), self.mapping.base.add(REASON_OFFSET), len);
        }
        header.reason_len.store(len as u32, Ordering::Release);
        header.state.store(State::Refused as u32, Ordering::Release);
    }

    /// Whether the host asked to record nothing more.
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        self.mapping.header().stop.load(Ordering::Relaxed) != 0
    }

    /// Publishes whole messages. False, with nothing written, while there is no room: the caller
    /// waits (without the interpreter's lock) and tries again.
    ///
    /// More than [`PUSH_MAX_BYTES`] at once is never accepted.
    /// To wait for room, call [`Producer::wait_for_room`]: it notices when nobody makes room any more.
    #[must_use]
    #[inline]
    pub fn try_push(&mut self, bytes: &[u8]) -> bool {
        let len = bytes.len() as u64;
        if bytes.len() > PUSH_MAX_BYTES {
            return false;
        }
        let header = self.mapping.header();
        if self.head + len - self.seen_tail > RING_BYTES as u64 {
            self.seen_tail = header.tail.load(Ordering::Acquire);
            if self.head + len - self.seen_tail > RING_BYTES as u64 {
                header.stalls.fetch_add(1, Ordering::Relaxed);
                return false;
            }
        }
        let at = (self.head as usize) & (RING_BYTES - 1);
        // SAFETY: `at + len` is inside the doubled data area, and the consumer does not read past `head`.
        unsafe { copy(bytes, self.mapping.data.add(at)) };
        self.head += len;
        header.head.store(self.head, Ordering::Release);
        true
    }

    /// Waits until `len` bytes fit. False if they never will: the host asked to record nothing more,
    /// or is gone, or `len` is more than [`Producer::try_push`] accepts. The caller then stops
    /// recording and lets the program go on.
    ///
    /// Call it without the interpreter's lock.
    #[must_use]
    pub fn wait_for_room(&self, len: usize) -> bool {
        if len > PUSH_MAX_BYTES {
            return false;
        }
        let header = self.mapping.header();
        let begin = Instant::now();
        let mut pause = Duration::from_micros(20);
        loop {
            if self.stop_requested() {
                return false;
            }
            let tail = header.tail.load(Ordering::Acquire);
            if self.head + len as u64 - tail <= RING_BYTES as u64 {
                return true;
            }
            if begin.elapsed() > LIVENESS_CHECK_AFTER && !self.host_alive() {
                return false;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(1));
        }
    }

    /// Whether a host drains the ring. The kernel releases the host's mutex however the host dies.
    #[must_use]
    pub fn host_alive(&self) -> bool {
        let lock = self.mapping.lock();
        // SAFETY: the mutex lives in the mapping. A mutex that was never initialised is all zero,
        // which is an unlocked plain mutex.
        unsafe {
            match libc::pthread_mutex_trylock(lock) {
                libc::EBUSY => true,
                0 => {
                    libc::pthread_mutex_unlock(lock);
                    false
                }
                libc::EOWNERDEAD => {
                    libc::pthread_mutex_consistent(lock);
                    libc::pthread_mutex_unlock(lock);
                    false
                }
                _ => false,
            }
        }
    }
}

/// Copies `bytes` to `to`. Most messages are a few bytes long: these take no call.
///
/// # Safety
///
/// `to` has room for them and is no part of them.
#[inline]
unsafe fn copy(bytes: &[u8], to: *mut u8) {
    let (from, len) = (bytes.as_ptr(), bytes.len());
    // SAFETY: each half is inside both; the halves overlap where they must.
    unsafe {
        match len {
            8..=16 => {
                to.cast::<[u8; 8]>().write(from.cast::<[u8; 8]>().read());
                let last = from.add(len - 8).cast::<[u8; 8]>().read();
                to.add(len - 8).cast::<[u8; 8]>().write(last);
            }
            4..=7 => {
                to.cast::<[u8; 4]>().write(from.cast::<[u8; 4]>().read());
                let last = from.add(len - 4).cast::<[u8; 4]>().read();
                to.add(len - 4).cast::<[u8; 4]>().write(last);
            }
            1..=3 => {
                to.write(from.read());
                to.add(len / 2).write(from.add(len / 2).read());
                to.add(len - 1).write(from.add(len - 1).read());
            }
            _ => ptr::copy_nonoverlapping(from, to, len),
        }
    }
}

/// The host's side.
#[derive(Debug)]
pub struct Consumer {
    mapping: Mapping,
    tail: u64,
}

impl Consumer {
    /// Opens the ring at `path`, before any producer does.
    ///
    /// The calling thread is the one that drains the ring: when it ends, or the consumer is dropped,
    /// [`Producer::host_alive`] turns false.
    ///
    /// # Errors
    ///
    /// [`RingError`].
    pub fn open(path: &Path) -> Result<Consumer, RingError> {
        let file = File::options().read(true).write(true).open(path)?;
        let mapping = Mapping::open(&file)?;
        hold(mapping.lock())?;
        Ok(Consumer { mapping, tail: 0 })
    }

    /// Where the recorder stands.
    #[must_use]
    pub fn state(&self) -> State {
        match self.mapping.header().state.load(Ordering::Acquire) {
            0 => State::Unclaimed,
            1 => State::Recording,
            _ => State::Refused,
        }
    }

    /// The process that claimed the ring, or 0.
    #[must_use]
    pub fn producer_pid(&self) -> u32 {
        self.mapping.header().claimed.load(Ordering::Acquire)
    }

    /// Why the recorder refused.
    #[must_use]
    pub fn reason(&self) -> String {
        let len = self.mapping.header().reason_len.load(Ordering::Acquire) as usize;
        // SAFETY: the reason area is inside the first page; it was written before `reason_len`.
        let bytes = unsafe {
            slice::from_raw_parts(
                self.mapping.base.add(REASON_OFFSET),
                len.min(REASON_MAX_BYTES),
            )
        };
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// How often the producer waited for room.
    #[must_use]
    pub fn stalls(&self) -> u64 {
        self.mapping.header().stalls.load(Ordering::Relaxed)
    }

    /// Asks the recorder to record nothing more.
    pub fn request_stop(&self) {
        self.mapping.header().stop.store(1, Ordering::Relaxed);
    }

    /// All whole messages that are there now. They stay until [`Consumer::consume`].
    #[must_use]
    pub fn available(&self) -> &[u8] {
        let head = self.mapping.header().head.load(Ordering::Acquire);
        let len = (head.wrapping_sub(self.tail) as usize).min(RING_BYTES);
        let at = (self.tail as usize) & (RING_BYTES - 1);
        // SAFETY: inside the doubled data area; the producer does not write these bytes until they
        // are consumed.
        unsafe { slice::from_raw_parts(self.mapping.data.add(at), len) }
    }

    /// Gives `len` bytes back to the producer.
    pub fn consume(&mut self, len: usize) {
        self.tail += len as u64;
        self.mapping
            .header()
            .tail
            .store(self.tail, Ordering::Release);
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // SAFETY: `open` locked it; the mapping is still there.
        unsafe {
            libc::pthread_mutex_unlock(self.mapping.lock());
        }
    }
}

/// Makes `lock` a mutex that tells other processes when its owner dies, and locks it.
fn hold(lock: *mut libc::pthread_mutex_t) -> io::Result<()> {
    let check = |code: libc::c_int| match code {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    };
    // SAFETY: `lock` points into a fresh mapping that no other process uses yet; the attributes are
    // initialised before use and destroyed after.
    unsafe {
        let mut attributes: libc::pthread_mutexattr_t = mem::zeroed();
        check(libc::pthread_mutexattr_init(&mut attributes))?;
        let made = check(libc::pthread_mutexattr_setpshared(
            &mut attributes,
            libc::PTHREAD_PROCESS_SHARED,
        ))
        .and_then(|()| {
            check(libc::pthread_mutexattr_setrobust(
                &mut attributes,
                libc::PTHREAD_MUTEX_ROBUST,
            ))
        })
        .and_then(|()| check(libc::pthread_mutex_init(lock, &attributes)))
        .and_then(|()| check(libc::pthread_mutex_lock(lock)));
        libc::pthread_mutexattr_destroy(&mut attributes);
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_pass_in_order_around_the_end_of_the_ring() {
        let path = std::env::temp_dir().join(format!("retrostep-ring-{}", std::process::id()));
        create(&path, b"k\0v\0").unwrap();
        let mut producer = Producer::open(&path).unwrap();
        let mut consumer = Consumer::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(producer.config(), b"k\0v\0");
        assert!(producer.claim());
        assert!(!producer.claim());
        let message = vec![7_u8; 1_000_003];
        for round in 0..100_u32 {
            let mut message = message.clone();
            message[..4].copy_from_slice(&round.to_le_bytes());
            assert!(producer.try_push(&message));
            assert_eq!(consumer.available(), message);
            consumer.consume(message.len());
        }
        while producer.try_push(&message) {}
        assert!(consumer.available().len() > RING_BYTES - message.len());
        assert!(consumer.stalls() > 0);
    }

    #[test]
    fn messages_of_every_length_arrive_whole() {
        for len in 0..40_u8 {
            let bytes: Vec<u8> = (1..=len).collect();
            let mut to = vec![0_u8; bytes.len() + 1];
            // SAFETY: there is room for one more.
            unsafe { copy(&bytes, to.as_mut_ptr()) };
            assert_eq!(to.pop(), Some(0));
            assert_eq!(to, bytes);
        }
    }

    #[test]
    fn a_full_ring_without_a_host_does_not_hold_the_program() {
        let path = std::env::temp_dir().join(format!("retrostep-dead-{}", std::process::id()));
        create(&path, b"").unwrap();
        let message = vec![7_u8; 1_000_003];
        // The host's thread ends while it holds the ring, as a killed process does.
        let host = std::thread::spawn({
            let path = path.clone();
            move || std::mem::forget(Consumer::open(&path).unwrap())
        });
        let mut producer = {
            host.join().unwrap();
            Producer::open(&path).unwrap()
        };
        std::fs::remove_file(&path).unwrap();
        assert!(producer.claim());
        while producer.try_push(&message) {}
        assert!(!producer.wait_for_room(message.len()));
        assert!(!producer.host_alive());
    }

    #[test]
    fn a_full_ring_with_a_host_waits_for_room() {
        let path = std::env::temp_dir().join(format!("retrostep-slow-{}", std::process::id()));
        create(&path, b"").unwrap();
        let mut consumer = Consumer::open(&path).unwrap();
        let mut producer = Producer::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let message = vec![7_u8; 1_000_003];
        while producer.try_push(&message) {}
        assert!(producer.host_alive());
        let waiting = std::thread::spawn(move || producer.wait_for_room(message.len()));
        while consumer.stalls() == 0 {
            std::thread::yield_now();
        }
        let len = consumer.available().len();
        consumer.consume(len);
        assert!(waiting.join().unwrap());
    }
}
