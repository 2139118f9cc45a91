//! The URL of a forward, for clicking. Knows how one is put together, not what speaks it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// `vnc://127.0.0.1:5901`.
pub fn url(protocol: &str, listen: SocketAddr) -> String {
    format!("{protocol}://{}", reachable(listen))
}

/// Where a program on this machine connects. A listener on every interface is reached through loopback.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(address) if address.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_can_be_opened() {
        assert_eq!(url("vnc", ([127, 0, 0, 1], 5901).into()), "vnc://127.0.0.1:5901");
        assert_eq!(url("http", ([0, 0, 0, 0], 80).into()), "http://127.0.0.1:80");
        assert_eq!(url("http", "[::]:8080".parse().unwrap()), "http://[::1]:8080");
    }
}
