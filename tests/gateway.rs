//! The gateway over real sockets: how connections are refused and how they end, seen from the other side.
//!
//! Nothing sleeps: a test waits for what a peer says, at most [`PATIENCE`].

#[cfg(test)]
mod over_sockets {
    use assistant::config::{GatewayConfig, SupervisorConfig};
    use assistant::contract::id::UserId;
    use assistant::gateway::{self, Gateway};
    use assistant::http::{Peer, Stop};
    use assistant::net::TokioNet;
    use assistant::supervisor::{self, Store, Supervisor};
    use assistant::token::{Keys, Kind};
    use assistant::wall::Wall;
    use futures_util::{SinkExt, StreamExt};
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;
    use std::cell::Cell;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::watch;
    use tokio::time::timeout;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

    /// Far more than any test takes.
    const PATIENCE: Duration = Duration::from_secs(60);
    const NOW: Duration = Duration::from_secs(1_800_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);
    const ORIGIN: &str = "https://chat.example";

    type Socket = WebSocketStream<TcpStream>;

    /// Where the gateway is, and the means to stop it.
    struct Site {
        address: String,
        stop: watch::Sender<bool>,
        /// Clients so far; each has an id of its own, or it would supersede the one before.
        clients: Cell<u32>,
    }

    impl Site {
        /// The hello of a new client.
        fn hello(&self) -> Message {
            self.clients.set(self.clients.get() + 1);
            hello(&format!("k{}", self.clients.get()))
        }
    }

    fn hello(client: &str) -> Message {
        Message::text(format!(
            r#"{{"event":"hello","protocol":1,"client_id":"{client}","thread_id":"t","cursor":{{"epoch":0,"seq":0}}}}"#
        ))
    }

    /// Runs `test` beside a gateway and a supervisor, which end with it.
    async fn beside<F: Future<Output = ()>>(test: impl FnOnce(Site) -> F) {
        let bind = || TcpListener::bind("127.0.0.1:0");
        let (front, back) = (bind().await.unwrap(), bind().await.unwrap());
        let address = front.local_addr().unwrap().to_string();
        let supervisor_at = back.local_addr().unwrap().to_string();
        let (stop, stopping) = Stop::new();
        let (_supervisor_stop, supervisor_stopping) = Stop::new();
        let wall = Wall::new(|| NOW);
        let supervisor = Supervisor {
            config: SupervisorConfig::default(),
            store: Store::open(redb::backends::InMemoryBackend::new()).unwrap(),
            // No turn is answered here.
            agent: Peer { net: TokioNet, address: "127.0.0.1:9".to_owned() },
            wall: wall.clone(),
            rng: ChaCha8Rng::seed_from_u64(1),
        };
        let gateway = Gateway {
            config: GatewayConfig {
                drain_notice: Duration::ZERO,
                drain_window: Duration::from_millis(1),
                origins: vec![ORIGIN.to_owned()],
                ..GatewayConfig::default()
            },
            keys: keys(1),
            supervisor: Peer { net: TokioNet, address: supervisor_at },
            wall,
            rng: ChaCha8Rng::seed_from_u64(2),
        };
        let roles = async {
            tokio::join!(
                gateway::run::<TokioNet>(gateway, front, stopping),
                supervisor::run::<TokioNet>(supervisor, back, supervisor_stopping),
            )
        };
        let test = timeout(PATIENCE, test(Site { address, stop, clients: Cell::new(0) }));
        tokio::select! {
            biased;
            done = Box::pin(test) => done.expect("the test ends in time"),
            _ended = Box::pin(roles) => panic!("the roles ended before the test"),
        }
    }

    fn keys(fill: u8) -> Keys {
        Keys::from_secret(&[fill; 32]).unwrap()
    }

    fn token(keys: &Keys, at: Duration) -> String {
        keys.mint(Kind::Access, &UserId::new("u").unwrap(), at, HOUR)
    }

    fn good() -> String {
        token(&keys(1), NOW)
    }

    /// Tokens that no gateway accepts, with the outcome they are counted under.
    fn bad_tokens() -> [(String, &'static str); 4] {
        let refresh = keys(1).mint(Kind::Refresh, &UserId::new("u").unwrap(), NOW, HOUR);
        [
            (token(&keys(2), NOW), "invalid"),
            ("a.b.c".to_owned(), "invalid"),
            (token(&keys(1), NOW - HOUR), "expired"),
            (refresh, "wrong_kind"),
        ]
    }

    fn bearer(token: &str) -> String {
        format!("Authorization: Bearer {token}\r\n")
    }

    fn offer(token: &str) -> String {
        format!("Origin: {ORIGIN}\r\nSec-WebSocket-Protocol: chat.v1, bearer.{token}\r\n")
    }

    /// Asks for an upgrade; returns the head of the answer and the socket behind it.
    async fn ask(site: &Site, header: &str) -> (String, TcpStream) {
        let mut socket = TcpStream::connect(&site.address).await.unwrap();
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        // By the byte, so that nothing of the first frame is taken.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        (String::from_utf8(head).unwrap().to_lowercase(), socket)
    }

    async fn upgraded(site: &Site, header: &str) -> Socket {
        let (head, socket) = ask(site, header).await;
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        // The accept key of the sample in RFC 6455 section 1.3.
        assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        WebSocketStream::from_raw_socket(socket, Role::Client, None).await
    }

    async fn joined(site: &Site) -> Socket {
        let mut socket = upgraded(site, &bearer(&good())).await;
        socket.send(site.hello()).await.unwrap();
        assert!(event(&mut socket).await.contains("welcome"));
        assert!(event(&mut socket).await.contains("resumed"));
        socket
    }

    async fn event(socket: &mut Socket) -> String {
        socket.next().await.unwrap().unwrap().into_text().unwrap().to_string()
    }

    /// Expects a close frame, and after it the orderly end of the connection.
    async fn closed(socket: &mut Socket) -> (u16, String) {
        let Message::Close(Some(frame)) = socket.next().await.unwrap().unwrap() else {
            panic!("no close frame");
        };
        assert!(socket.next().await.is_none(), "something follows the close frame");
        (frame.code.into(), frame.reason.to_string())
    }

    fn text(bytes: impl Into<Vec<u8>>) -> Message {
        Message::Frame(Frame::message(bytes.into(), OpCode::Data(Data::Text), true))
    }

    /// The samples of a scrape whose name and labels begin with `name`, added up.
    async fn sum(site: &Site, name: &str) -> u64 {
        let metrics = scrape(site).await;
        sum_in(&metrics, name)
    }

    fn sum_in(metrics: &str, name: &str) -> u64 {
        let samples = metrics.lines().filter(|line| line.starts_with(name));
        samples.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    async fn scrape(site: &Site) -> String {
        let mut socket = TcpStream::connect(&site.address).await.unwrap();
        let request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        answer
    }

    #[tokio::test]
    async fn a_bad_token_in_a_header_is_refused_before_the_upgrade() {
        beside(async |site| {
            let foreign = offer(&good()).replace(ORIGIN, "https://evil.example");
            let anonymous = offer(&good()).replace("Origin", "X-Origin");
            let basic = "Authorization: Basic dTpw\r\n".to_owned();
            for header in [String::new(), bearer(""), basic, foreign, anonymous] {
                let (head, _socket) = ask(&site, &header).await;
                assert!(head.starts_with("http/1.1 403 "), "{header}: {head}");
            }
            for (token, outcome) in bad_tokens() {
                let name = format!("ws_upgrades_total{{outcome=\"{outcome}\"}}");
                let before = sum(&site, &name).await;
                let (head, _socket) = ask(&site, &bearer(&token)).await;
                assert!(head.starts_with("http/1.1 403 "), "{outcome}: {head}");
                assert_eq!(sum(&site, &name).await, before + 1);
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_bad_token_as_a_subprotocol_is_told_by_a_close_frame() {
        beside(async |site| {
            for (token, _outcome) in bad_tokens() {
                let mut socket = upgraded(&site, &offer(&token)).await;
                assert_eq!(closed(&mut socket).await, (4401, "unauthorized".to_owned()));
            }
            let (head, socket) = ask(&site, &offer(&good())).await;
            assert!(head.contains("sec-websocket-protocol: chat.v1\r\n"), "{head}");
            let mut socket = WebSocketStream::from_raw_socket(socket, Role::Client, None).await;
            socket.send(site.hello()).await.unwrap();
            assert!(event(&mut socket).await.contains("welcome"));
        })
        .await;
    }

    #[tokio::test]
    async fn a_request_without_a_key_is_no_upgrade() {
        beside(async |site| {
            let mut socket = TcpStream::connect(&site.address).await.unwrap();
            let request = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            socket.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_no_frame_is_answered_with_its_close_code() {
        beside(async |site| {
            let stray_continuation = Message::Frame(Frame::message(
                "x".as_bytes().to_vec(),
                OpCode::Data(Data::Continue),
                true,
            ));
            for (message, code) in [
                (Message::binary(vec![1, 2, 3]), 1003),
                (Message::text("{"), 4400),
                (Message::text(r#"{"event":"shout"}"#), 4400),
                (text([0xff, 0xfe]), 1007),
                (text(vec![b' '; 64 * 1024 + 1]), 1009),
                // Far more than the gateway reads before it knows; the rest must not become a reset.
                (text(vec![b' '; 4 * 1024 * 1024]), 1009),
                (stray_continuation, 1002),
            ] {
                let mut early = upgraded(&site, &bearer(&good())).await;
                early.send(message.clone()).await.unwrap();
                assert_eq!(closed(&mut early).await.0, code);
                let mut late = joined(&site).await;
                late.send(message).await.unwrap();
                assert_eq!(closed(&mut late).await.0, code);
            }
            let mut largest = upgraded(&site, &bearer(&good())).await;
            largest.send(text(vec![b' '; 64 * 1024])).await.unwrap();
            assert_eq!(closed(&mut largest).await.0, 4400);
        })
        .await;
    }

    #[tokio::test]
    async fn a_peer_that_closes_gets_its_own_code_back() {
        beside(async |site| {
            for code in [1000_u16, 1001, 4499] {
                let mut socket = joined(&site).await;
                let frame = CloseFrame { code: code.into(), reason: "bye".into() };
                socket.send(Message::Close(Some(frame))).await.unwrap();
                assert_eq!(closed(&mut socket).await.0, code);
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_stop_is_told_with_advice_and_a_code() {
        beside(async |site| {
            let mut sockets = [joined(&site).await, joined(&site).await];
            site.stop.send(true).unwrap();
            for socket in &mut sockets {
                let told = event(socket).await;
                assert!(told.contains(r#""why":"drain""#), "{told}");
                assert_eq!(closed(socket).await, (1012, "drain".to_owned()));
            }
            // The gateway lets its own goodbyes finish; the test ends first, so this cannot end the roles.
        })
        .await;
    }

    #[tokio::test]
    async fn every_accepted_connection_is_open_or_closed_in_every_scrape() {
        beside(async |site| {
            let mut open = Vec::new();
            for round in 0..8_u64 {
                let mut socket = joined(&site).await;
                match round % 4 {
                    0 => open.push(socket),
                    1 => socket.send(Message::binary(vec![0])).await.unwrap(),
                    2 => socket.close(None).await.unwrap(),
                    _ => drop(upgraded(&site, &offer("x")).await),
                }
                conserved(&scrape(&site).await);
            }
            // Six of eight went away, and two more were never let in.
            let metrics = loop {
                let metrics = scrape(&site).await;
                conserved(&metrics);
                if sum_in(&metrics, "ws_closes_total") == 8 {
                    break metrics;
                }
            };
            assert_eq!(sum_in(&metrics, "ws_connections "), 2, "{metrics}");
            assert_eq!(sum_in(&metrics, "ws_closes_total{code=\"1003\""), 2, "{metrics}");
            assert_eq!(sum_in(&metrics, "ws_closes_total{code=\"4401\""), 2, "{metrics}");
            drop(open);
            while sum(&site, "ws_connections ").await > 0 {}
            assert_eq!(sum(&site, "ws_closes_total").await, 10);
        })
        .await;
    }

    fn conserved(metrics: &str) {
        let accepted = sum_in(metrics, "ws_upgrades_total{outcome=\"accepted\"}");
        let closes = sum_in(metrics, "ws_closes_total");
        let open = sum_in(metrics, "ws_connections ");
        assert_eq!(accepted, closes + open, "{metrics}");
        assert_eq!(closes, sum_in(metrics, "ws_connection_duration_seconds_count"), "{metrics}");
    }
}
