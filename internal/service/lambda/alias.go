package lambda

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// maxAliases is how many aliases a function may have.
const maxAliases = 1000

// aliasForm is a name that is no number.
var aliasForm = regexp.MustCompile(`^[a-zA-Z0-9_-]*[a-zA-Z_-][a-zA-Z0-9_-]*$`)

// alias is a name for a version that can be moved to another one.
type alias struct {
	AliasArn        string
	Name            string
	FunctionVersion string
	Description     string
	RoutingConfig   *routing `json:",omitzero"`
	RevisionID      string   `json:"RevisionId"`
}

// routing sends a part of an alias's calls to one other version.
type routing struct {
	AdditionalVersionWeights map[string]float64 `json:",omitempty"` // of all calls, 0 to 1
}

// choose returns the version for one call; luck is from 0 to below 1.
func (a *alias) choose(luck float64) string {
	if a.RoutingConfig != nil {
		for number, weight := range a.RoutingConfig.AdditionalVersionWeights {
			if luck < weight {
				return number
			}
		}
	}
	return a.FunctionVersion
}

// aliasesOf are the aliases that a version may be called by.
func (f *function) aliasesOf(number string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(f.Aliases)) {
		if a := f.Aliases[name]; a.FunctionVersion == number || a.splitsTo(number) {
			names = append(names, name)
		}
	}
	return names
}

func (a *alias) splitsTo(number string) bool {
	if a.RoutingConfig == nil {
		return false
	}
	_, ok := a.RoutingConfig.AdditionalVersionWeights[number]
	return ok
}

// check says what is wrong with an alias of a function.
func (s *Service) checkAlias(f *function, a *alias) error {
	if a.FunctionVersion != latest && f.version(a.FunctionVersion) == nil {
		return answer("ResourceNotFoundException", http.StatusNotFound,
			"Function not found: "+s.arn(f.Configuration.FunctionName)+":"+clip(a.FunctionVersion))
	}
	if a.RoutingConfig == nil || len(a.RoutingConfig.AdditionalVersionWeights) == 0 {
		a.RoutingConfig = nil
		return nil
	}
	weights := a.RoutingConfig.AdditionalVersionWeights
	if len(weights) > 1 {
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for number, weight := range weights {
		switch {
		case a.FunctionVersion == latest || number == latest:
			return invalid("$LATEST is not supported for an alias pointing to more than 1 version")
		case number == a.FunctionVersion:
			return invalid("Invalid function version " + clip(number) + ". Function version " + clip(number) + " is already included in routing configuration.")
		case !(weight >= 0 && weight <= 1):
			return invalid("the weight of a version must be between 0 and 1")
		case f.version(number) == nil:
			return answer("ResourceNotFoundException", http.StatusNotFound,
				"Function not found: "+s.arn(f.Configuration.FunctionName)+":"+clip(number))
		}
	}
	return nil
}

// invalid is ErrInvalid in AWS's own words, without ours in front.
func invalid(message string) error {
	return answer("InvalidParameterValueException", http.StatusBadRequest, strings.TrimSpace(message))
}
