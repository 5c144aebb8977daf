// Package lambda is the built-in AWS Lambda: functions that run as child processes on this
// machine, behind the API of AWS (REST-JSON, 2015-03-31) and behind Service.Invoke for the
// other rooms of this node.
//
//   - Function: a name, a configuration, and a folder of code.
//   - Code: what a zip held, unpacked into a folder of its own that is never changed, and the
//     zip itself. It goes when no version names it any more and its last worker has ended.
//   - Version: a configuration and code under a number, published and never changed. $LATEST
//     is what requests change.
//   - Alias: a name for a version, which can be moved to another one.
//   - Qualifier: the number or alias behind a function's name or ARN.
//   - Bootstrap: the executable in the code that is run for provided runtimes.
//   - Worker: one process of a function, with an address of its own to talk to and a scratch
//     folder of its own to write to. It works on one call at a time and is kept warm.
//   - Pool: the workers of one version, and the calls that wait for one. It grows while
//     calls find all workers busy, and shrinks to nothing when none come.
//   - Call: one invocation, from the request to its answer.
//   - Runtime API: what a worker asks for calls and answers them by, over HTTP.
//   - Init: a worker's time until it first asks for a call.
//   - Event: a call that nobody waits for. It is on disk from before it is accepted until it
//     is done or given up, so it is done at least once.
//   - Failure: an answer in place of the function's, when that threw, crashed, or took too
//     long. It is told as an answer with FunctionError set, never as an error.
//   - Cage: what a process is held in: limits of memory, CPU and files, and where the kernel
//     has Landlock, nothing of the disk but its code, its scratch and the system's programs.
//
// The way of a call: invoke.go finds the version (versions.go), pool.go finds or starts a worker, cold.go
// sees it through its init, worker.go hands the call over and waits, runtime.go is where the
// process picks it up and brings the answer. When a worker is done for, all processes of its
// group are killed; the next call starts another.
//
// The way of an event: events.go stores it (event_file.go), calls the function, and tries
// again.
//
// The rules are those of the specification, neighbours.md section 2.
package lambda
