package playbook

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// Expression is a condition on the known facts of an opportunity, in the language of
// github.com/expr-lang/expr: value >= 1000 and region in ["UK", "US"]. A condition calculates with
// exact amounts and reads no clock.
type Expression string

// conditionEnv contains the variables that a condition may use.
type conditionEnv struct {
	Value      money             `expr:"value"` // the sum of the amounts of all interests
	Currency   string            `expr:"currency"`
	Region     string            `expr:"region"`
	RegionID   string            `expr:"regionId"`
	Account    string            `expr:"account"`
	AccountID  string            `expr:"accountId"`
	Step       string            `expr:"step"`
	StepID     string            `expr:"stepId"`
	Stage      string            `expr:"stage"`
	State      string            `expr:"state"`
	Attributes map[string]string `expr:"attributes"`
	Interests  []interestEnv     `expr:"interests"`
}

// interestEnv contains the variables of one interest in a condition.
type interestEnv struct {
	Item       string `expr:"item"`
	Kind       string `expr:"kind"`
	Quantity   int    `expr:"quantity"`
	UnitAmount money  `expr:"unitAmount"`
	Reserve    bool   `expr:"reserve"`
	FreePlaces *int   `expr:"freePlaces"` // nil if unknown; then a condition on FreePlaces cannot be evaluated
}

// usesFreePlaces reports whether the condition may depend on the free places of an event.
func (e Expression) usesFreePlaces() bool { return strings.Contains(string(e), freePlacesName) }

const freePlacesName = "freePlaces"

// The functions of conditionBuiltins use no clock, no time zone and no floats.
var conditionBuiltins = [...]string{"all", "any", "one", "none", "filter", "count", "len", "lower", "upper", "trim", "sum", "int"}

func conditionEnvOf(f Facts) conditionEnv {
	s := conditionEnv{
		Value: moneyOf(f.value()), Currency: f.Details.Currency,
		Region: f.Details.Region.Name, RegionID: string(f.Details.Region.ID),
		Account: f.Details.Account.Name, AccountID: string(f.Details.Account.ID),
		Step: f.Step.Name, StepID: string(f.Step.ID), Stage: f.Step.Stage.Name, State: string(f.Step.Stage.State),
		Attributes: f.Attributes,
	}
	for _, i := range f.Interests {
		s.Interests = append(s.Interests, interestEnv{string(i.Item), string(i.Kind), i.Quantity, moneyOf(i.UnitAmount), i.Reserve, i.FreePlaces})
	}
	return s
}

type condition struct {
	program *vm.Program
	// canonical is the expression without its formatting.
	canonical string
}

// holds returns an error that contains no facts of the opportunity.
func (c condition) holds(s conditionEnv) (bool, error) {
	if c.program == nil {
		return true, nil
	}
	answer, err := vm.Run(c.program, s)
	holds, ok := answer.(bool)
	if err != nil || !ok {
		return false, errors.New("the condition cannot be evaluated")
	}
	return holds, nil
}

var (
	unknownName   = regexp.MustCompile(`^unknown name (\S+)`)
	unknownMember = regexp.MustCompile(`^type \S+ has no field (\S+)`)
)

func (e Expression) compile() (condition, *textDiagnostic) {
	text := string(e)
	switch {
	case strings.TrimSpace(text) == "":
		return condition{}, &textDiagnostic{0, "the condition is empty; leave the condition out"}
	case len(text) > MaxExpressionBytes:
		return condition{}, &textDiagnostic{0, fmt.Sprintf("the condition has %d bytes; the limit is %d bytes", len(text), MaxExpressionBytes)}
	}
	exact := &exactAmounts{text: []rune(text)}
	options := []expr.Option{expr.Env(conditionEnv{}), expr.AsBool(), expr.Optimize(false), expr.DisableAllBuiltins()}
	for _, name := range conditionBuiltins {
		options = append(options, expr.EnableBuiltin(name))
	}
	options = append(append(options, expr.Patch(exact)), moneyOperators()...)
	program, err := expr.Compile(text, options...)
	if exact.problem != nil {
		return condition{}, &textDiagnostic{byteOffset(text, exact.position), exact.problem.Error()}
	}
	if err != nil {
		return condition{}, conditionDiagnostic(text, err)
	}
	return condition{program, canonicalForm(text)}, nil
}

func canonicalForm(text string) string {
	tree, err := parser.Parse(text)
	if err != nil {
		return text
	}
	ast.Walk(&tree.Node, &decimalPrinter{exactAmounts{text: []rune(text)}})
	return tree.Node.String()
}

// decimalPrinter writes amounts as exact decimals.
type decimalPrinter struct{ exactAmounts }

// Visit implements ast.Visitor.
func (d *decimalPrinter) Visit(node *ast.Node) {
	d.exactAmounts.Visit(node)
	constant, ok := (*node).(*ast.ConstantNode)
	if !ok {
		return
	}
	if amount, ok := constant.Value.(money); ok {
		*node = &ast.IdentifierNode{Value: amount.amount.String()}
	}
}

func byteOffset(text string, runes int) int {
	for at := range text {
		if runes == 0 {
			return at
		}
		runes--
	}
	return len(text)
}

// conditionDiagnostic converts an error of the expr library to a text that suggests known names.
func conditionDiagnostic(text string, err error) *textDiagnostic {
	var wrong *file.Error
	if !errors.As(err, &wrong) {
		said, _, _ := strings.Cut(err.Error(), "\n")
		return &textDiagnostic{0, "the condition is wrong: " + plainTypes(said)}
	}
	said := plainTypes(wrong.Message)
	if found := unknownName.FindStringSubmatch(said); found != nil {
		names := append(expressionNames(reflect.TypeFor[conditionEnv]()), append(conditionBuiltins[:], "money")...)
		said = fmt.Sprintf("unknown name %s; %s", found[1], diagnostic.Suggest(found[1], names))
	} else if found := unknownMember.FindStringSubmatch(wrong.Message); found != nil {
		said = fmt.Sprintf("unknown member %s of an interest; %s", found[1], diagnostic.Suggest(found[1], expressionNames(reflect.TypeFor[interestEnv]())))
	}
	return &textDiagnostic{byteOffset(text, wrong.From), "the condition is wrong: " + said}
}

// plainTypes replaces the names of Go types in an error text by the names in the documentation.
func plainTypes(said string) string {
	return strings.NewReplacer("playbook.money", "money", "playbook.interestEnv", "interest", "playbook.conditionEnv", "opportunity").Replace(said)
}

func expressionNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("expr"))
	}
	return names
}
