//! One client with a socket.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use umqtt_mqtt_model::{Client, Greeting, Model};

use crate::common::device::local;

/// A client of the model and its connection.
pub(crate) struct Player {
    pub(crate) client: Client,
    index: usize,
    port: u16,
    socket: Option<TcpStream>,
    /// Connections it has let go of, until the device closes them.
    left: Vec<TcpStream>,
    /// It does not read.
    pub(crate) paused: bool,
}

/// What became of a turn.
#[derive(PartialEq, Eq)]
pub(crate) enum Turn {
    /// Bytes moved.
    Moved,
    /// Nothing to do.
    Idle,
}

impl Player {
    pub(crate) fn new(index: usize, port: u16) -> Player {
        let client = Client::new(index, 50);
        Player { client, index, port, socket: None, left: Vec::new(), paused: false }
    }

    /// Makes a connection in place of the one there may be, which breaks, or is left as it is for
    /// the device to close.
    pub(crate) fn connect(&mut self, model: &mut Model, greeting: Greeting, leave: bool) {
        if leave && self.client.is_greeted() {
            self.client.abandon(model);
            self.left.extend(self.socket.take());
        }
        self.cut(model);
        let socket = TcpStream::connect(local(self.port)).expect("the device serves");
        socket.set_nonblocking(true).expect("can be set");
        socket.set_nodelay(true).expect("can be set");
        self.socket = Some(socket);
        self.paused = false;
        // After an attempt without an answer there is no telling which session there is; not even
        // the device can, if several follow each other. To end all that is the way out, and MQTT
        // 3.1 is no help.
        let unsure = model.is_unsure(self.index);
        let (clean, old) = (greeting.clean || unsure, greeting.old && !unsure);
        self.client.connect(model, Greeting { clean, old, ..greeting });
    }

    /// The connection breaks.
    pub(crate) fn cut(&mut self, model: &mut Model) {
        if self.socket.take().is_some() {
            self.client.lost(model);
        }
    }

    /// Writes at most so many bytes; how many went.
    pub(crate) fn write(&mut self, model: &mut Model, most: usize) -> Result<usize, String> {
        let Some(socket) = &mut self.socket else { return Ok(0) };
        let bytes = self.client.outgoing();
        let bytes = &bytes[..bytes.len().min(most)];
        if bytes.is_empty() {
            return Ok(0);
        }
        match socket.write(bytes) {
            Ok(n) => {
                self.client.wrote(n, model);
                Ok(n)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            Err(_) => self.ended(model).map(|()| 0),
        }
    }

    /// Moves bytes both ways.
    pub(crate) fn turn(&mut self, model: &mut Model) -> Result<Turn, String> {
        let mut moved = self.write(model, usize::MAX)?;
        let mut buffer = [0; 16 * 1024];
        while let Some(socket) = self.socket.as_mut().filter(|_| !self.paused) {
            match socket.read(&mut buffer) {
                Ok(0) => self.ended(model)?,
                Ok(n) => {
                    moved += n;
                    self.client.receive(&buffer[..n], model).map_err(|why| why.0)?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.ended(model)?,
            }
        }
        self.left.retain_mut(|socket| match socket.read(&mut buffer) {
            Ok(n) => n > 0,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        });
        Ok(if moved > 0 { Turn::Moved } else { Turn::Idle })
    }

    /// The device has closed the connection.
    fn ended(&mut self, model: &mut Model) -> Result<(), String> {
        if !self.client.is_doomed() {
            return Err(format!("sent away for nothing: {:?}", self.client));
        }
        // It has read to the end of what there was to say.
        self.client.took(model);
        self.client.forget_link();
        self.socket = None;
        Ok(())
    }

    /// Connections the device has still to close.
    pub(crate) fn left(&self) -> usize {
        self.left.len()
    }
}
