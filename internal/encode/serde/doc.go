// Package serde reads JSON records into typed columns, as the two deserializers of record
// format conversion do (spec firehose.md sections 6.3 and 6.6).
//
//   - OpenX: org.openx.data.JsonSerDe. It bends values until they fit: texts become numbers,
//     numbers become texts, one value becomes a list.
//   - Hive: org.apache.hcatalog.data.JsonSerDe. It refuses where OpenX bends, and reads
//     timestamps by patterns of Joda-Time.
//   - Reader: one of the two for one schema. It goes over the bytes once and puts each value
//     straight into its vector; nothing is built in between.
//   - Document: one JSON value of a record. A record may hold several, and each is a row.
//   - Plan: the schema as a tree of nodes, each with what it takes to read its values.
//   - Guess: which key follows which. Producers write their keys in the same order again and
//     again, so the key that came next the last time is compared before any is looked up.
//   - Careful: how a row is read a second time when a key came twice. The last value wins,
//     and vectors cannot be changed in the middle, so values are found first and read later.
//   - Misfit: valid JSON that does not match the schema. The document fails.
//   - Malformed: not JSON by RFC 8259. Everything from the document's start on fails, since
//     nobody can say where the next one begins.
//
// # What is strict
//
// Malformed are: control characters in texts, unknown escapes, invalid UTF-8, leading zeros,
// NaN, comments, trailing commas, a byte order mark, and documents nested more than 1,000 deep, which is
// Jackson's limit. Half a surrogate pair as an escape is no malformed JSON to Jackson; it
// becomes U+FFFD, so that columns hold valid UTF-8 whatever comes.
//
// # What is decided here, and unverified
//
//   - A number that does not fit its column fails the document. So does a fraction in a
//     column of integers, 1.0 included, and infinity unless OpenX reads it as a text.
//   - Timestamps before the year 1 or after 9999 fail the document. AWS lets them wrap
//     around silently, which nobody would notice.
//   - Epoch numbers below zero are taken as milliseconds from -10^12 down.
//   - A text in a column of booleans is true if it spells true, in any case, and else false.
//   - Numbers in columns of dates or booleans do not fit.
//   - Hive takes Joda's patterns to milliseconds, as Joda does: further digits are dropped.
package serde
