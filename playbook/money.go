package playbook

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// money is an exact decimal in conditions. money has no members and no methods, so a condition
// cannot convert money to a float.
type money struct{ amount decimal.Decimal }

func moneyOf(a opportunity.Amount) money { return money{a.Decimal()} }

// Each operator accepts amounts and whole numbers, and returns an exact result.
func moneyOperators() []expr.Option {
	compare := func(holds func(order int) bool) func(a, b decimal.Decimal) any {
		return func(a, b decimal.Decimal) any { return holds(a.Cmp(b)) }
	}
	options := []expr.Option{
		expr.Function("money", func(arguments ...any) (any, error) {
			text, _ := arguments[0].(string)
			amount, err := opportunity.ParseAmount(text)
			if err != nil {
				return nil, errors.New("the value is not an amount")
			}
			return moneyOf(amount), nil
		}, new(func(string) money)),
	}
	for _, operator := range []struct {
		sign, name string
		compares   bool
		reckon     func(a, b decimal.Decimal) any
	}{
		{"==", "moneyIs", true, compare(func(order int) bool { return order == 0 })},
		{"!=", "moneyIsNot", true, compare(func(order int) bool { return order != 0 })},
		{"<", "moneyBelow", true, compare(func(order int) bool { return order < 0 })},
		{"<=", "moneyAtMost", true, compare(func(order int) bool { return order <= 0 })},
		{">", "moneyAbove", true, compare(func(order int) bool { return order > 0 })},
		{">=", "moneyAtLeast", true, compare(func(order int) bool { return order >= 0 })},
		{"+", "moneyPlus", false, func(a, b decimal.Decimal) any { return money{a.Add(b)} }},
		{"-", "moneyMinus", false, func(a, b decimal.Decimal) any { return money{a.Sub(b)} }},
		{"*", "moneyTimes", false, func(a, b decimal.Decimal) any { return money{a.Mul(b)} }},
	} {
		types := []any{new(func(money, money) money), new(func(money, int) money), new(func(int, money) money)}
		if operator.compares {
			types = []any{new(func(money, money) bool), new(func(money, int) bool), new(func(int, money) bool)}
		}
		reckon := operator.reckon
		options = append(options, expr.Function(operator.name, func(arguments ...any) (any, error) {
			var exact [2]decimal.Decimal
			for i, argument := range arguments {
				switch argument := argument.(type) {
				case money:
					exact[i] = argument.amount
				case int:
					exact[i] = decimal.NewFromInt(int64(argument))
				default:
					return nil, errors.New("the value is not an amount")
				}
			}
			return reckon(exact[0], exact[1]), nil
		}, types...), expr.Operator(operator.sign, operator.name))
	}
	return options
}

func (e *exactAmounts) rejectInexact(node *ast.BinaryNode) {
	switch {
	case slices.Contains([]string{"/", "**", "^", "%"}, node.Operator):
		e.problem, e.position = fmt.Errorf("a condition cannot use the operator %s, because its result is not exact; multiply the other side of the comparison instead", node.Operator), node.Location().From
	case node.Operator == "in" && node.Left.Type() == reflect.TypeFor[money]():
		e.problem, e.position = errors.New("a condition cannot use the operator \"in\" with an amount; compare the amount with == or >="), node.Location().From
	}
}

// rejectEqualFreePlaces rejects an operation that would treat an unknown number of free places as a known number. The
// operators <, <=, > and >= are accepted, because they return an error when the number is unknown.
func (e *exactAmounts) rejectEqualFreePlaces(node *ast.BinaryNode) {
	if slices.Contains([]string{"==", "!=", "in"}, node.Operator) && (isFreePlaces(node.Left) || isFreePlaces(node.Right)) {
		e.problem, e.position = fmt.Errorf("freePlaces may be unknown, and the operator %q would treat an unknown value as a number; compare freePlaces with <, <=, > or >=", node.Operator), node.Location().From
	}
}

func isFreePlaces(node ast.Node) bool {
	member, ok := node.(*ast.MemberNode)
	if !ok {
		return false
	}
	name, ok := member.Property.(*ast.StringNode)
	return ok && name.Value == freePlacesName
}

func hasNesting(node ast.Node, depth int) bool {
	inner := &predicates{}
	ast.Walk(&node, inner)
	for _, predicate := range inner.found {
		if depth == 1 || hasNesting(predicate.Node, depth-1) {
			return true
		}
	}
	return false
}

type predicates struct{ found []*ast.PredicateNode }

// Visit implements ast.Visitor.
func (p *predicates) Visit(node *ast.Node) {
	if predicate, ok := (*node).(*ast.PredicateNode); ok {
		p.found = append(p.found, predicate)
	}
}

// exactAmounts converts the numbers with a decimal point in a condition to amounts. exactAmounts reads the numbers from
// the text of the condition, because the library has parsed the numbers as floats.
type exactAmounts struct {
	text     []rune
	problem  error
	position int
}

// Visit implements ast.Visitor.
func (e *exactAmounts) Visit(node *ast.Node) {
	if e.problem != nil {
		return
	}
	switch n := (*node).(type) {
	case *ast.BinaryNode:
		e.rejectInexact(n)
		e.rejectEqualFreePlaces(n)
	case *ast.PredicateNode:
		if hasNesting(n.Node, maxNesting) {
			e.problem, e.position = fmt.Errorf("loops over the interests are nested too deeply; the limit is %d levels", maxNesting), n.Location().From
		}
	}
	number, ok := (*node).(*ast.FloatNode)
	if !ok {
		return
	}
	from := number.Location().From
	to := from
	for to < len(e.text) && strings.ContainsRune("0123456789_.eE", e.text[to]) {
		to++
	}
	written := string(e.text[min(from, to):to])
	amount, err := opportunity.ParseAmount(strings.ReplaceAll(written, "_", ""))
	if err != nil {
		e.problem, e.position = fmt.Errorf("%q is not an amount; write a decimal such as 199.90", diagnostic.Quote(written)), from
		return
	}
	constant := &ast.ConstantNode{Value: moneyOf(amount)}
	ast.Patch(node, constant)
}
