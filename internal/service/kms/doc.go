// Package kms is the built-in key management service: keys that wrap data keys and small
// secrets, behind the API of AWS KMS (JSON 1.1, TrentService) and behind Go methods for the
// other rooms of this node.
//
//   - Key: what a KeyId names. Its material, 32 random bytes per generation, never leaves
//     this package.
//   - Generation: one material of a key. Rotation adds one; old blobs name theirs.
//   - Master key: seals the materials in the key files. It lies beside them, so copies of
//     the folder are as secret as the keys.
//   - Blob: what encrypting gives (blob.go draws it). It carries the id of its key.
//   - Context: texts that were given when encrypting and must be given again. Not secret.
//   - Alias: a second name of a key, alias/NAME. Those of alias/aws/ name managed keys, which
//     are made at their first use and which users cannot change.
//   - Own key: the key of the node itself, which no request can name.
//   - Grant, policy: stored and told, as programs expect. What a caller may do is decided
//     by the server's Authorizer alone.
//
// Keys in memory are never changed: a change writes a copy to disk (folder.go), then puts it
// in the place of the former one (change.go). So uses never wait for a disk.
//
// The rules are those of the specification, neighbours.md section 11.
package kms
