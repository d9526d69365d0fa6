//! Is a connection plain or TLS? Its first byte says so (RFC 8446 §5.1), and the handshake goes on in the connection's own time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// The first byte of a TLS record that holds a handshake; no HTTP request begins with it.
const HANDSHAKE: u8 = 0x16;

/// A connection's bytes. The handshake is made by whoever reads or writes, so that a slow one holds up nobody else.
pub(super) enum Wire {
    /// Nothing has come yet that tells which it is.
    Fresh { stream: TcpStream, acceptor: TlsAcceptor, secure: Arc<AtomicBool> },
    /// The handshake is under way.
    Greeting { accept: Box<Accept<TcpStream>>, secure: Arc<AtomicBool> },
    /// As it is.
    Plain(TcpStream),
    /// Encrypted.
    Sealed(Box<TlsStream<TcpStream>>),
    /// The handshake has failed.
    Broken,
}

impl Wire {
    /// A connection that may become either. `secure` is told when it is TLS.
    pub fn either(stream: TcpStream, acceptor: TlsAcceptor, secure: Arc<AtomicBool>) -> Wire {
        Wire::Fresh { stream, acceptor, secure }
    }

    /// Goes on until it is known what this is, and the handshake is done.
    fn poll_known(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let next = match std::mem::replace(self, Wire::Broken) {
                Wire::Fresh { stream, acceptor, secure } => {
                    let mut first = [0; 1];
                    match stream.poll_peek(cx, &mut ReadBuf::new(&mut first)) {
                        Poll::Pending => {
                            *self = Wire::Fresh { stream, acceptor, secure };
                            return Poll::Pending;
                        }
                        Poll::Ready(Ok(1)) if first == [HANDSHAKE] => Wire::Greeting { accept: Box::new(acceptor.accept(stream)), secure },
                        Poll::Ready(_) => Wire::Plain(stream),
                    }
                }
                Wire::Greeting { mut accept, secure } => match Pin::new(accept.as_mut()).poll(cx) {
                    Poll::Pending => {
                        *self = Wire::Greeting { accept, secure };
                        return Poll::Pending;
                    }
                    Poll::Ready(done) => {
                        let stream = done?;
                        secure.store(true, Ordering::Release);
                        Wire::Sealed(Box::new(stream))
                    }
                },
                Wire::Broken => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
                known @ (Wire::Plain(_) | Wire::Sealed(_)) => {
                    *self = known;
                    return Poll::Ready(Ok(()));
                }
            };
            *self = next;
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_known(cx))?;
        match this {
            Wire::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Wire::Sealed(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
            Wire::Fresh { .. } | Wire::Greeting { .. } | Wire::Broken => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_known(cx))?;
        match this {
            Wire::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Wire::Sealed(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
            Wire::Fresh { .. } | Wire::Greeting { .. } | Wire::Broken => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_known(cx))?;
        match this {
            Wire::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Wire::Sealed(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, slices),
            Wire::Fresh { .. } | Wire::Greeting { .. } | Wire::Broken => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Wire::Sealed(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            Wire::Fresh { .. } | Wire::Greeting { .. } | Wire::Broken => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) | Wire::Fresh { stream, .. } => Pin::new(stream).poll_shutdown(cx),
            Wire::Sealed(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Wire::Greeting { accept, .. } => accept.get_mut().map_or(Poll::Ready(Ok(())), |stream| Pin::new(stream).poll_shutdown(cx)),
            Wire::Broken => Poll::Ready(Ok(())),
        }
    }
}
