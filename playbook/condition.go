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
)

// Expression is a condition on the known facts of an opportunity, in the language of github.com/expr-lang/expr:
// value >= 1000 and region in ["UK", "US"]. Amounts are exact. A condition reads no clock.
type Expression string

// surroundings are the names that a condition may use.
type surroundings struct {
	Value      money             `expr:"value"` // the sum over the interests
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
	Interests  []subject         `expr:"interests"`
}

// subject is an interest in a condition.
type subject struct {
	Item       string `expr:"item"`
	Kind       string `expr:"kind"`
	Quantity   int    `expr:"quantity"`
	UnitAmount money  `expr:"unitAmount"`
	Reserve    bool   `expr:"reserve"`
}

// builtins are the functions of the library that a condition may call. They need no clock, no zone and no floats.
var builtins = [...]string{"all", "any", "one", "none", "filter", "count", "len", "lower", "upper", "trim", "sum", "int"}

func surroundingsOf(f Facts) surroundings {
	s := surroundings{
		Value: moneyOf(f.value()), Currency: f.Details.Currency,
		Region: f.Details.Region.Name, RegionID: string(f.Details.Region.ID),
		Account: f.Details.Account.Name, AccountID: string(f.Details.Account.ID),
		Step: f.Step.Name, StepID: string(f.Step.ID), Stage: f.Step.Stage.Name, State: string(f.Step.Stage.State),
		Attributes: f.Attributes,
	}
	for _, i := range f.Interests {
		s.Interests = append(s.Interests, subject{string(i.Item), string(i.Kind), i.Quantity, moneyOf(i.UnitAmount), i.Reserve})
	}
	return s
}

// condition is a compiled expression.
type condition struct {
	program *vm.Program
	// canonical is the expression without its formatting.
	canonical string
}

// holds decides the condition for the facts. The error quotes none of the facts.
func (c condition) holds(s surroundings) (bool, error) {
	if c.program == nil {
		return true, nil
	}
	answer, err := vm.Run(c.program, s)
	holds, ok := answer.(bool)
	if err != nil || !ok {
		return false, errors.New("cannot be decided")
	}
	return holds, nil
}

var (
	unknownName   = regexp.MustCompile(`^unknown name (\S+)`)
	unknownMember = regexp.MustCompile(`^type \S+ has no field (\S+)`)
)

// compile reads and type-checks the expression.
func (e Expression) compile() (condition, *fault) {
	text := string(e)
	switch {
	case strings.TrimSpace(text) == "":
		return condition{}, &fault{0, "the condition is empty; leave it out"}
	case len(text) > MaxExpressionBytes:
		return condition{}, &fault{0, fmt.Sprintf("the condition has %d bytes; at most %d", len(text), MaxExpressionBytes)}
	}
	exact := &exactly{text: []rune(text)}
	options := []expr.Option{expr.Env(surroundings{}), expr.AsBool(), expr.Optimize(false), expr.DisableAllBuiltins()}
	for _, name := range builtins {
		options = append(options, expr.EnableBuiltin(name))
	}
	options = append(append(options, expr.Patch(exact)), reckoning()...)
	program, err := expr.Compile(text, options...)
	if exact.wrong != nil {
		return condition{}, &fault{byteOf(text, exact.at), exact.wrong.Error()}
	}
	if err != nil {
		return condition{}, conditionFault(text, err)
	}
	return condition{program, canonicalOf(text)}, nil
}

// canonicalOf returns the expression without its formatting.
func canonicalOf(text string) string {
	tree, err := parser.Parse(text)
	if err != nil {
		return text
	}
	ast.Walk(&tree.Node, &decimals{exactly{text: []rune(text)}})
	return tree.Node.String()
}

// decimals writes amounts as exact decimals.
type decimals struct{ exactly }

// Visit implements ast.Visitor.
func (d *decimals) Visit(node *ast.Node) {
	d.exactly.Visit(node)
	constant, ok := (*node).(*ast.ConstantNode)
	if !ok {
		return
	}
	if amount, ok := constant.Value.(money); ok {
		*node = &ast.IdentifierNode{Value: amount.amount.String()}
	}
}

// byteOf returns the byte offset of the rune with the given number.
func byteOf(text string, runes int) int {
	for at := range text {
		if runes == 0 {
			return at
		}
		runes--
	}
	return len(text)
}

// conditionFault returns the error that the library found, and suggests known names.
func conditionFault(text string, err error) *fault {
	var wrong *file.Error
	if !errors.As(err, &wrong) {
		said, _, _ := strings.Cut(err.Error(), "\n")
		return &fault{0, "the condition is wrong: " + plainTypes(said)}
	}
	said := plainTypes(wrong.Message)
	if found := unknownName.FindStringSubmatch(said); found != nil {
		names := append(expressionNames(reflect.TypeFor[surroundings]()), append(builtins[:], "money")...)
		said = fmt.Sprintf("unknown name %s; %s", found[1], nearest(found[1], names))
	} else if found := unknownMember.FindStringSubmatch(wrong.Message); found != nil {
		said = fmt.Sprintf("unknown member %s of an interest; %s", found[1], nearest(found[1], expressionNames(reflect.TypeFor[subject]())))
	}
	return &fault{byteOf(text, wrong.From), "the condition is wrong: " + said}
}

// plainTypes replaces the names of types by those of the documentation.
func plainTypes(said string) string {
	return strings.NewReplacer("playbook.money", "money", "playbook.subject", "interest", "playbook.surroundings", "opportunity").Replace(said)
}

// expressionNames returns the names that conditions use for the fields of a type.
func expressionNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("expr"))
	}
	return names
}
