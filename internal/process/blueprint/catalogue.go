package blueprint

import "slices"

// All returns every blueprint, Amazon's first.
func All() []Blueprint {
	return slices.Concat([]Blueprint{template()}, amazonApache(), amazonSyslog(), []Blueprint{logsProcessor()}, hydrant())
}

// template is the first of the published blueprints (spec neighbours.md section 2.6).
func template() Blueprint {
	return Blueprint{
		Name:        "kinesis-firehose-process-record",
		Aliases:     []string{"kinesis-firehose-process-record-python", "kinesis-firehose-process-record-streams-as-source"},
		Description: "General template: any record to itself.",
		Example:     Example{Input: "Hello, world.\n", Output: "Hello, world.\n"},
		transform:   general, identity: true,
	}
}

// amazonApache is the published blueprints for access logs.
func amazonApache() []Blueprint {
	return []Blueprint{
		{
			Name:        "kinesis-firehose-apachelog-to-json",
			Description: "Apache access log to JSON. As the blueprint in Node.js makes it: IPv4 hosts only, no newline behind it.",
			Fields: fields("host", "ident", "authuser", "request", "response", "bytes", "verb",
				"@timestamp", "timezone", "@timestamp_utc"),
			Example: Example{
				Input:  commonExample,
				Output: `{"host":"192.0.2.7","ident":"-","authuser":"frank","request":"GET /apache_pb.gif HTTP/1.0","response":200,"bytes":2326,"verb":"GET","@timestamp":"2000-10-10T13:55:36.000Z","timezone":"-0700","@timestamp_utc":"2000-10-10T20:55:36.000Z"}`,
			},
			transform: apacheJSON,
		},
		{
			Name:        "kinesis-firehose-apachelog-to-json-python",
			Description: "Apache access log to JSON in Python's form. As the blueprint in Python makes it: IPv4 hosts only, no newline behind it.",
			Fields: fields("host", "ident", "authuser", "@timestamp", "request", "response", "bytes", "verb",
				"timezone", "@timestamp_utc"),
			Example: Example{
				Input:  commonExample,
				Output: `{"host": "192.0.2.7", "ident": "-", "authuser": "frank", "@timestamp": "2000-10-10T13:55:36", "request": "GET /apache_pb.gif HTTP/1.0", "response": 200, "bytes": 2326, "verb": "GET", "timezone": "-0700", "@timestamp_utc": "2000-10-10T20:55:36+00:00"}`,
			},
			transform: apachePython,
		},
		{
			Name:        "kinesis-firehose-apachelog-to-csv",
			Aliases:     []string{"kinesis-firehose-apachelog-to-csv-python"},
			Description: "Apache access log to CSV without quotes. As Amazon's blueprint makes it: IPv4 hosts only, and the time needs a zone.",
			Fields:      fields("host", "ident", "authuser", "datetime", "request", "response", "bytes"),
			Example: Example{
				Input:  commonExample,
				Output: "192.0.2.7,-,frank,10/Oct/2000:13:55:36 -0700,GET /apache_pb.gif HTTP/1.0,200,2326\n",
			},
			transform: apacheCSV,
		},
	}
}

// amazonSyslog is the published blueprints for syslog.
func amazonSyslog() []Blueprint {
	return []Blueprint{
		{
			Name:        "kinesis-firehose-syslog-to-json",
			Description: "Syslog file to JSON. As the blueprint in Node.js makes it: without a process there is no processid. No newline behind it.",
			Fields:      fields("timestamp", "hostname", "program", "processid", "message"),
			Example: Example{
				Input:  syslogExample,
				Output: `{"timestamp":"Oct 11 22:14:15","hostname":"mymachine","program":"su","processid":"230","message":"'su root' failed for lonvick on /dev/pts/8"}`,
			},
			transform: syslogJSON,
		},
		{
			Name:        "kinesis-firehose-syslog-to-json-python",
			Description: "Syslog file to JSON in Python's form. As the blueprint in Python makes it: without a process, processid is null. No newline behind it.",
			Fields:      fields("timestamp", "hostname", "program", "processid", "message"),
			Example: Example{
				Input:  syslogExample,
				Output: `{"timestamp": "Oct 11 22:14:15", "hostname": "mymachine", "program": "su", "processid": "230", "message": "'su root' failed for lonvick on /dev/pts/8"}`,
			},
			transform: syslogPython,
		},
		{
			Name:        "kinesis-firehose-syslog-to-csv",
			Aliases:     []string{"kinesis-firehose-syslog-to-csv-python"},
			Description: "Syslog file to CSV without quotes. As the blueprint in Python makes it: without a process, processid is the word null.",
			Fields:      fields("timestamp", "hostname", "program", "processid", "message"),
			Example: Example{
				Input:  syslogExample,
				Output: "Oct 11 22:14:15,mymachine,su,230,'su root' failed for lonvick on /dev/pts/8\n",
			},
			transform: syslogCSV,
		},
	}
}

// logsProcessor is the published blueprint for what CloudWatch Logs sends.
func logsProcessor() Blueprint {
	return Blueprint{
		Name:        "kinesis-firehose-cloudwatch-logs-processor",
		Aliases:     []string{"kinesis-firehose-cloudwatch-logs-processor-python"},
		Description: "CloudWatch Logs to lines. A record is a gzipped document; each of its messages gets a newline. Control messages are dropped.",
		Example: Example{
			Input: `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/app","logStream":"s1","subscriptionFilters":["f1"],` +
				`"logEvents":[{"id":"1","timestamp":1432826855000,"message":"line 1"},{"id":"2","timestamp":1432826856000,"message":"line 2"}]}`,
			Output:  "line 1\nline 2\n",
			Gzipped: true,
		},
		transform: cloudWatch,
	}
}

// hydrant is our own blueprints.
func hydrant() []Blueprint {
	return []Blueprint{
		{
			Name:        "hydrant-apachelog-to-json",
			Description: "Access log, common or combined, to lines of JSON. Any host; a dash is null.",
			Fields: fields("host", "ident", "authuser", "request", "response", "bytes", "verb",
				"@timestamp", "timezone", "@timestamp_utc", "referer", "agent"),
			Example: Example{
				Input: combinedExample,
				Output: `{"host":"2001:db8::7","ident":null,"authuser":"frank","request":"GET /apache_pb.gif HTTP/1.0","response":200,"bytes":2326,"verb":"GET",` +
					`"@timestamp":"2000-10-10T13:55:36.000Z","timezone":"-0700","@timestamp_utc":"2000-10-10T20:55:36.000Z",` +
					`"referer":"http://www.example.com/start.html","agent":"Mozilla/4.08 [en] (Win98; I ;Nav)"}` + "\n",
			},
			transform: accessJSON,
		},
		{
			Name:        "hydrant-apachelog-to-csv",
			Description: "Access log, common or combined, to CSV. Any host; a dash is empty; quotes where they are needed.",
			Fields:      fields("host", "ident", "authuser", "datetime", "request", "response", "bytes", "referer", "agent"),
			Example: Example{
				Input:  combinedExample,
				Output: "2001:db8::7,,frank,10/Oct/2000:13:55:36 -0700,GET /apache_pb.gif HTTP/1.0,200,2326,http://www.example.com/start.html,Mozilla/4.08 [en] (Win98; I ;Nav)\n",
			},
			transform: accessCSV,
		},
		{
			Name:        "hydrant-syslog-to-json",
			Description: "Syslog of RFC 3164 or RFC 5424 to lines of JSON. What is not there is null.",
			Fields: fields("facility", "severity", "timestamp", "hostname", "program", "processid", "messageid",
				"structureddata", "message"),
			Example: Example{
				Input: messageExample,
				Output: `{"facility":20,"severity":5,"timestamp":"2003-10-11T22:14:15.003Z","hostname":"mymachine.example.com","program":"evntslog","processid":null,"messageid":"ID47",` +
					`"structureddata":{"exampleSDID@32473":{"iut":"3","eventSource":"Application"}},"message":"An application event"}` + "\n",
			},
			transform: messageJSON,
		},
		{
			Name:        "hydrant-syslog-to-csv",
			Description: "Syslog of RFC 3164 or RFC 5424 to CSV. What is not there is empty; quotes where they are needed; structured data as it came.",
			Fields: fields("facility", "severity", "timestamp", "hostname", "program", "processid", "messageid",
				"structureddata", "message"),
			Example: Example{
				Input:  messageExample,
				Output: `20,5,2003-10-11T22:14:15.003Z,mymachine.example.com,evntslog,,ID47,"[exampleSDID@32473 iut=""3"" eventSource=""Application""]",An application event` + "\n",
			},
			transform: messageCSV,
		},
	}
}

// What the examples begin with.
const (
	commonExample   = `192.0.2.7 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326`
	combinedExample = `2001:db8::7 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"`
	syslogExample   = `Oct 11 22:14:15 mymachine su[230]: 'su root' failed for lonvick on /dev/pts/8`
	messageExample  = `<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application"] An application event`
)

// fields are the fields of these names.
func fields(names ...string) []Field {
	list := make([]Field, len(names))
	for i, name := range names {
		list[i] = Field{name, meanings[name]}
	}
	return list
}

// meanings says for people what fields are. A name means the same in every blueprint.
var meanings = map[string]string{
	"host":           "the client's address or name",
	"ident":          "what the client's identd said, a dash as a rule",
	"authuser":       "the user of HTTP authentication",
	"datetime":       "when the request came, with its zone, as logged",
	"request":        "the request line, as logged",
	"response":       "the status, a number",
	"bytes":          "the size of the answer, a number",
	"verb":           "the method, if the request has more than one word",
	"@timestamp":     "what the server's clock showed",
	"timezone":       "the zone of the server's clock, such as -0700",
	"@timestamp_utc": "when the request came, in UTC",
	"referer":        "the page that led to the request",
	"agent":          "the client's program",
	"facility":       "the facility of the priority, 0 to 23",
	"severity":       "the severity of the priority, 0 (worst) to 7",
	"timestamp":      "when it was logged, as logged",
	"hostname":       "the machine",
	"program":        "the program or the tag",
	"processid":      "the process",
	"messageid":      "the kind of message (RFC 5424)",
	"structureddata": "parameters by element (RFC 5424)",
	"message":        "the text",
}
