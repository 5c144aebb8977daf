package kms

// Quotas. Those of AWS, where a key is not bounded by what this server can hold.
const (
	maxKeys       = 1000      // AWS: 100,000
	maxWeight     = 128 << 10 // bytes of a key's description, policy, tags and grants
	maxAliases    = 50        // of a key
	maxGrants     = 1000      // of a key; AWS: 50,000
	maxTags       = 50        // of a key
	maxPlaintext  = 4096
	maxCiphertext = 6144
	maxRandom     = 1024
	maxContext    = 8192 // bytes of an encryption context
)

var (
	errTooManyKeys = answer("LimitExceededException", "This account may have %d keys.", maxKeys)
	errTooHeavy    = answer("LimitExceededException",
		"Description, policy, tags and grants of a key may have %d bytes together.", maxWeight)
)
