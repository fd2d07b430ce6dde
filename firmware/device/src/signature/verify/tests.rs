//! The vectors of RFC 8032, 7.1, and what is almost right.

use alloc::vec::Vec;

use super::super::hex;
use super::*;

/// Key, message and signature: TEST 1, TEST 2, TEST 3 and TEST SHA(abc).
const VECTORS: [[&str; 3]; 4] = [
    [
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

fn message(digits: &str) -> Vec<u8> {
    digits.as_bytes().chunks(2).map(|pair| hex::read::<1>(pair).unwrap()[0]).collect()
}

fn fits(key: &[u8; 32], message: &[u8], signature: &[u8; 64], piece: usize) -> bool {
    let mut verifier = Verifier::new(key, signature).unwrap();
    message.chunks(piece).for_each(|piece| verifier.update(piece));
    verifier.finish()
}

#[test]
fn the_vectors_of_the_standard_fit_and_nothing_near_them_does() {
    for [key, text, signature] in VECTORS {
        let (key, signature) = (hex::read(key.as_bytes()).unwrap(), signature.as_bytes());
        let (message, signature) = (message(text), hex::read::<64>(signature).unwrap());
        for piece in [1, 7, 64] {
            assert!(fits(&key, &message, &signature, piece), "{text}");
        }
        assert!(!fits(&key, &[&message[..], b"\0"].concat(), &signature, 64));
        for bit in 0..512 {
            let mut wrong = signature;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!fits(&key, &message, &wrong, 64), "bit {bit} of the signature");
        }
        for bit in 0..8 * message.len() {
            let mut wrong = message.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!fits(&key, &wrong, &signature, 64), "bit {bit} of the message");
        }
    }
}

/// The same signature with the group's order added to its second half.
#[test]
fn a_signature_has_one_form() {
    let [key, text, signature] = VECTORS[1];
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let (key, order) = (hex::read(key.as_bytes()).unwrap(), hex::read::<32>(order.as_bytes()));
    let mut signature = hex::read::<64>(signature.as_bytes()).unwrap();
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(order.unwrap()) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert!(!fits(&key, &message(text), &signature, 64));
}

#[test]
fn keys_that_fit_anything_or_are_none_are_refused() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    // y = 2 is no point of the curve.
    let mut none = [0; 32];
    none[0] = 2;
    for key in [[0; 32], neutral, none] {
        assert_eq!(Verifier::new(&key, &[0; 64]).err(), Some(KeyError));
    }
}
