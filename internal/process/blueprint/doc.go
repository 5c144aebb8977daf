// Package blueprint is the functions that Lambda's console offers as blueprints for Firehose
// (spec neighbours.md section 2.6), compiled in: no process is started and no payload sent.
//
//   - Blueprint: a function of one record that is found by its name, or by the ARN of a
//     function that has this name.
//   - Result: what a function says of a record: Ok, Dropped or ProcessingFailed.
//   - Reason: why a record failed, for people who try a blueprint. Error outputs have
//     Amazon's words instead.
//   - Amazon's blueprints, whose names begin with kinesis-firehose-, take and make exactly
//     what the published functions do, with their gaps: no IPv6, no quoting in CSV. Where
//     Node.js and Python differ and readers may notice, there are both.
//   - Hydrant's blueprints, whose names begin with hydrant-, take what servers really write:
//     common and combined access logs, both kinds of syslog; and quote as they should.
//   - Common and combined: the two forms of Apache's access log; combined has the referer and
//     the user agent behind the rest.
//   - RFC 3164 and RFC 5424: syslog as it has always been, and syslog with a version, full
//     times and structured data.
//   - Structured data: elements with an id, each of parameters with a name and a value.
//
// A function appends to a buffer that it is given, so that a batch of records shares its
// memory. The parsers work on bytes, ASCII means ASCII in them, and a line ends at its first
// LF or CR. Bytes that are no UTF-8 become U+FFFD in JSON and stay what they are in CSV.
package blueprint
