//! Is a protected packet what the RFCs say? Their vectors, wraps, repetitions, strangers and changed bits.
#![allow(clippy::unwrap_used)]

use super::streams::Seen;
use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn key(suite: Suite) -> Key {
    let material: Vec<u8> = (0..suite.material_bytes()).map(|n| n as u8 ^ 0x5a).collect();
    Key::new(suite, &material).unwrap()
}

/// A packet of twenty bytes of sound.
fn packet(sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 160]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend([sequence as u8; 20]);
    packet
}

fn sealed(sending: &mut Sending, packet: &[u8]) -> Vec<u8> {
    let mut buffer = [packet, &[0; MAX_OVERHEAD]].concat();
    let end = sending.protect(&mut buffer, packet.len()).unwrap();
    buffer.truncate(end);
    buffer
}

fn opened(receiving: &mut Receiving, packet: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = packet.to_vec();
    let end = receiving.open(&mut buffer)?;
    buffer.truncate(end);
    Some(buffer)
}

fn pair(suite: Suite) -> (Sending, Receiving) {
    (Sending::new(&key(suite)).unwrap(), Receiving::new(&key(suite), MOST_PACKETS, None).unwrap())
}

/// RFC 3711 appendix B.3.
const B3: &str = "E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6";

#[test]
fn keys_are_derived_as_in_appendix_b3() {
    let key = Key::new(Suite::AesCm80, &bytes(B3)).unwrap();
    let derived = |label, length| {
        let mut out = vec![0; length];
        key.derive(label, &mut out);
        out
    };
    assert_eq!(derived(0, 16), bytes("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(derived(2, 14), bytes("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(derived(1, 20), bytes("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

#[test]
fn the_key_stream_is_that_of_appendix_b2() {
    let salt = u128::from_be_bytes(bytes("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").try_into().unwrap());
    let counter = Counter::new(&bytes("2B7E151628AED2A6ABF7158809CF4F3C"), salt, &[0; 20], 10).unwrap();
    let mut stream = vec![0; 0xff03 * 16];
    counter.apply(&mut stream, Name { ssrc: 0, index: 0 });
    let block = |n: usize| stream[n * 16..][..16].to_vec();
    assert_eq!(block(0), bytes("E03EAD0935C95E80E166B16DD92B4EB4"));
    assert_eq!(block(1), bytes("D23513162B02D0F72A43A2FE4A5F97AB"));
    assert_eq!(block(2), bytes("41E95B3BB0A2E8DD477901E4FCA894C0"));
    assert_eq!(block(0xfeff), bytes("EC8CDF7398607CB0F2D21675EA9EA1E4"));
    assert_eq!(block(0xff00), bytes("362B7C3C6773516318A077D7FC5073AE"));
    assert_eq!(block(0xff01), bytes("6A2CC3787889374FBEB4C81B17BA6C44"));
}

/// The packets that libsrtp's own test driver uses with the keys of appendix B.3.
#[test]
fn packets_and_reports_are_those_of_the_reference_implementation() {
    let key = Key::new(Suite::AesCm80, &bytes(B3)).unwrap();
    let mut sending = Sending::new(&key).unwrap();
    let mut receiving = Receiving::new(&key, MOST_PACKETS, None).unwrap();
    let plain = bytes("800f1234decafbadcafebabe abababababababababababababababab");
    let protected = bytes("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
    assert_eq!(sealed(&mut sending, &plain), protected);
    assert_eq!(opened(&mut receiving, &protected).unwrap(), plain);
    let report = bytes("81c8000bcafebabe abababababababababababababababab");
    let mut protected = bytes("81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798");
    let mut buffer = [report.as_slice(), &[0; MAX_OVERHEAD]].concat();
    sending.next_report = 1;
    let end = sending.protect_report(&mut buffer, report.len()).unwrap();
    assert_eq!(buffer[..end], protected);
    let end = receiving.open_report(&mut protected).unwrap();
    assert_eq!(protected[..end], report);
    assert_eq!(receiving.open_report(&mut buffer), None, "it was here before");
}

/// RFC 7714 §16 and §17 give session keys, not master keys.
fn gcm(suite: Suite) -> Cipher {
    let secret: Vec<u8> = (0..suite.key_bytes()).map(|n| n as u8).collect();
    let mut salt = vec![0; 4];
    salt.extend(b"Quid pro quo");
    let salt = u128::from_be_bytes(salt.try_into().unwrap());
    match suite {
        Suite::AeadAes128 => Cipher::Gcm128(Box::new(Gcm { aead: Aes128Gcm::new_from_slice(&secret).unwrap(), salt })),
        _ => Cipher::Gcm256(Box::new(Gcm { aead: Aes256Gcm::new_from_slice(&secret).unwrap(), salt })),
    }
}

#[test]
fn packets_are_those_of_rfc_7714() {
    let plain = [bytes("8040f17b8041f8d35501a0b2"), b"Gallia est omnis divisa in partes tres".to_vec()].concat();
    let vectors = [
        (
            Suite::AeadAes128,
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833 899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            Suite::AeadAes256,
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b 7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ];
    for (suite, expected) in vectors {
        let (cipher, name) = (gcm(suite), Name { ssrc: 0x5501_a0b2, index: 0xf17b });
        let mut buffer = [plain.as_slice(), &[0; GCM_TAG]].concat();
        assert_eq!(cipher.seal(&mut buffer, HEADER, plain.len(), name), Some(buffer.len()));
        assert_eq!(buffer[HEADER..], bytes(expected), "{suite:?}");
        assert_eq!(cipher.open(&mut buffer, HEADER, name), Some(plain.len()));
        assert_eq!(buffer[..plain.len()], plain);
    }
}

#[test]
fn reports_are_those_of_rfc_7714() {
    let plain = bytes("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
    let vectors = [
        (
            Suite::AeadAes128,
            "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
        ),
        (
            Suite::AeadAes256,
            "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
        ),
    ];
    let named = |word: u32| Some(Name { ssrc: 0x4d61_7273, index: u64::from(word & !ENCRYPTED) });
    for (suite, expected) in vectors {
        let cipher = gcm(suite);
        let mut buffer = [plain.as_slice(), &[0; MAX_OVERHEAD]].concat();
        assert_eq!(cipher.seal_report(&mut buffer, plain.len(), named(0x5d4).unwrap()), Some(buffer.len()));
        assert_eq!(buffer[REPORT_HEADER..], bytes(expected), "{suite:?}");
        assert_eq!(cipher.open_report(&mut buffer, named), Some((plain.len(), named(0x5d4).unwrap())));
        assert_eq!(buffer[..plain.len()], plain);
    }
    let mut open = [plain.clone(), bytes("841dd9683dd78ec92ae58790125f62b3 000005d4")].concat();
    assert_eq!(gcm(Suite::AeadAes128).open_report(&mut open, named), Some((plain.len(), named(0x5d4).unwrap())), "§17.3, not encrypted");
    assert_eq!(open[..plain.len()], plain);
}

#[test]
fn a_talk_goes_on_over_wraps_in_any_order_and_nothing_is_taken_twice() {
    for suite in Suite::ALL {
        let (mut sending, mut receiving) = pair(suite);
        let mut late: Option<Vec<u8>> = None;
        for n in 0..140_000u32 {
            let plain = packet(n.wrapping_add(30_000) as u16, 7);
            let protected = sealed(&mut sending, &plain);
            assert_eq!(
                protected.len() - plain.len(),
                match suite {
                    Suite::AesCm80 => 10,
                    Suite::AesCm32 => 4,
                    _ => 16,
                }
            );
            match n % 1_000 {
                535 => late = Some(protected),
                _ => {
                    assert_eq!(opened(&mut receiving, &protected).as_deref(), Some(plain.as_slice()), "{suite:?} {n}");
                    if n % 1_000 == 540 {
                        let late = late.take().unwrap();
                        assert!(opened(&mut receiving, &late).is_some(), "late by five");
                        assert!(opened(&mut receiving, &late).is_none(), "and once");
                        assert!(opened(&mut receiving, &protected).is_none());
                    }
                }
            }
        }
        assert!(sending.has_rolled_over());
    }
}

#[test]
fn every_changed_bit_is_found() {
    for suite in Suite::ALL {
        let (mut sending, mut receiving) = pair(suite);
        let protected = sealed(&mut sending, &packet(1, 7));
        for bit in 0..protected.len() * 8 {
            let mut changed = protected.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(opened(&mut receiving, &changed), None, "{suite:?} bit {bit}");
        }
        assert!(opened(&mut receiving, &protected).is_some());
    }
}

#[test]
fn no_number_goes_out_twice() {
    let (mut sending, _) = pair(Suite::AeadAes128);
    let mut buffer = [packet(5, 7), vec![0; MAX_OVERHEAD]].concat();
    assert!(sending.protect(&mut buffer, 32).is_some());
    let mut again = [packet(5, 7), vec![0; MAX_OVERHEAD]].concat();
    assert_eq!(sending.protect(&mut again, 32), None);
    let mut full = packet(6, 7);
    let length = full.len();
    assert_eq!(sending.protect(&mut full, length), None, "no room for the tag");
}

#[test]
fn a_new_key_lets_a_stream_go_on_or_begin_anew() {
    let mut first = pair(Suite::AesCm80);
    for n in 0..70_000u32 {
        let protected = sealed(&mut first.0, &packet(n as u16, 7));
        opened(&mut first.1, &protected).unwrap();
    }
    let second = Key::new(Suite::AesCm80, &[9; 30]).unwrap();
    for keeps_counting in [true, false] {
        let mut sending = Sending::new(&second).unwrap();
        let mut receiving = Receiving::new(&second, MOST_PACKETS, Some(&first.1)).unwrap();
        sending.stream = keeps_counting.then_some((7, Seen::first(69_999)));
        for n in 70_000..70_010u32 {
            let protected = sealed(&mut sending, &packet(n as u16, 7));
            assert!(opened(&mut receiving, &protected).is_some(), "{keeps_counting} {n}");
            assert!(opened(&mut first.1, &protected).is_none());
        }
    }
}

#[test]
fn a_key_ends_when_its_far_end_said() {
    let mut sending = Sending::new(&key(Suite::AesCm80)).unwrap();
    let mut receiving = Receiving::new(&key(Suite::AesCm80), 3, None).unwrap();
    let taken = (0..5u16).filter(|n| opened(&mut receiving, &sealed(&mut sending, &packet(*n, 7))).is_some()).count();
    assert_eq!(taken, 3);
    sending.left = 0;
    let mut buffer = [packet(9, 7), vec![0; MAX_OVERHEAD]].concat();
    assert_eq!(sending.protect(&mut buffer, 32), None);
    sending.next_report = MOST_REPORTS - 1;
    assert_eq!(sending.protect_report(&mut buffer, 32), None);
}

#[test]
fn keys_are_not_printed() {
    let key = Key::new(Suite::AesCm80, &[0x41; 30]).unwrap();
    assert_eq!(format!("{key:?}"), "Key(AES_CM_128_HMAC_SHA1_80)");
    assert_eq!(Key::new(Suite::AesCm80, &[0; 29]), None);
    assert_ne!(Key::random(Suite::AeadAes256).unwrap(), Key::random(Suite::AeadAes256).unwrap());
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_it(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..90), suite in 0usize..4) {
        if let Some(flags) = bytes.first_mut() {
            *flags = 0x80 | *flags & 0x3f;
        }
        let (mut sending, mut receiving) = pair(Suite::ALL[suite]);
        proptest::prop_assert_eq!(receiving.open(&mut bytes.clone()), None);
        proptest::prop_assert_eq!(receiving.open_report(&mut bytes.clone()), None);
        for end in [bytes.len(), bytes.len().saturating_sub(MAX_OVERHEAD)] {
            sending.protect(&mut bytes.clone(), end);
            sending.protect_report(&mut bytes.clone(), end);
        }
    }
}
