package playbook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"golang.org/x/text/unicode/norm"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// NameKind is the kind of an object in the TMS that a playbook names, such as a step.
type NameKind string

// These are the kinds of objects that a playbook names.
const (
	NamedStep           NameKind = "step"
	NamedStage          NameKind = "stage"
	NamedRegion         NameKind = "region"
	NamedSendingAddress NameKind = "sending address"
	NamedAttribute      NameKind = "attribute"
)

// SendingAddress is an address from which the tenant sends mails. The TMS sends no mail from an
// address that is not verified.
type SendingAddress struct {
	ID       opportunity.ID
	Name     string
	Verified bool
}

// TenantObjects are objects of a tenant that a playbook may name. A nil list means that the list
// was not read; CompareNames then reports no names of this kind.
type TenantObjects struct {
	Steps            []opportunity.Step
	Regions          []opportunity.Ref
	SendingAddresses []SendingAddress
	// Attributes are the attributes of opportunities; the ID is the key, and the Name is the label.
	Attributes []opportunity.Ref
}

// nameForm says whether a tenantName contains a name, an id, or either.
type nameForm int

const (
	nameOrID nameForm = iota
	nameOnly
	idOnly
	// lookedUp is a name or an id that the worker looks up. A look-up also finds a name that differs in case.
	lookedUp
)

// tenantName is a name or an id of an object of the tenant, with its position in the file.
type tenantName struct {
	kind         NameKind
	form         nameForm
	text         string
	line, column int
}

// NameKinds returns the kinds of objects that the playbook names, without duplicates.
func (p *Playbook) NameKinds() []NameKind {
	var kinds []NameKind
	for _, name := range p.tenantNames {
		if !slices.Contains(kinds, name.kind) {
			kinds = append(kinds, name.kind)
		}
	}
	return kinds
}

// CompareNames returns a diagnostic for each name in the playbook that no object of the tenant has or that several
// objects have. A rule with a name that no object has does not apply. A rule with a name that several objects have may
// apply to more than one step.
func (p *Playbook) CompareNames(tenant TenantObjects) diagnostic.List {
	var found diagnostic.List
	for _, name := range p.tenantNames {
		objects, read := tenant.objects(name.kind)
		if !read {
			continue
		}
		if text := name.diagnose(objects, tenant); text != "" {
			found.Add(name.line, name.column, text)
		}
	}
	return found.Sorted()
}

// tenantObject is an object of the tenant. detail distinguishes the object from other objects with
// the same name.
type tenantObject struct {
	opportunity.Ref
	detail     string
	unverified bool
}

func (o tenantObject) String() string {
	if o.detail == "" {
		return fmt.Sprintf("%s (%q)", o.ID, o.Name)
	}
	return fmt.Sprintf("%s (%q, %s)", o.ID, o.Name, o.detail)
}

// read is false if the objects of the kind were not read.
func (t TenantObjects) objects(kind NameKind) (objects []tenantObject, read bool) {
	switch kind {
	case NamedStep:
		for _, step := range t.Steps {
			objects = append(objects, tenantObject{Ref: opportunity.Ref{ID: step.ID, Name: step.Name}, detail: fmt.Sprintf("stage %q", step.Stage.Name)})
		}
		return objects, t.Steps != nil
	case NamedStage:
		for _, step := range t.Steps {
			stage := tenantObject{Ref: opportunity.Ref{ID: step.Stage.ID, Name: step.Stage.Name}}
			if !slices.Contains(objects, stage) {
				objects = append(objects, stage)
			}
		}
		return objects, t.Steps != nil
	case NamedRegion:
		return tenantObjects(t.Regions), t.Regions != nil
	case NamedSendingAddress:
		for _, address := range t.SendingAddresses {
			objects = append(objects, tenantObject{Ref: opportunity.Ref{ID: address.ID, Name: address.Name}, unverified: !address.Verified})
		}
		return objects, t.SendingAddresses != nil
	case NamedAttribute:
		return tenantObjects(t.Attributes), t.Attributes != nil
	}
	return nil, false
}

func tenantObjects(refs []opportunity.Ref) (objects []tenantObject) {
	for _, ref := range refs {
		objects = append(objects, tenantObject{Ref: ref})
	}
	return objects
}

// isSameName reports whether two names differ at most in case and in their Unicode form.
func isSameName(a, b string) bool {
	return strings.EqualFold(norm.NFC.String(a), norm.NFC.String(b))
}

// diagnose returns what is wrong with the name, or "" if nothing is wrong.
func (n tenantName) diagnose(objects []tenantObject, tenant TenantObjects) string {
	var exact, similar []tenantObject
	for _, o := range objects {
		switch {
		case n.form != nameOnly && n.text == string(o.ID), n.form != idOnly && n.text == o.Name:
			exact = append(exact, o)
		case n.form != idOnly && isSameName(n.text, o.Name):
			similar = append(similar, o)
		}
	}
	if len(exact) == 0 && n.form == lookedUp {
		exact, similar = similar, nil
	}
	switch {
	case len(exact) > 1:
		return fmt.Sprintf("%d %s have the name %q: %s; %s", len(exact), n.kind.plural(), diagnostic.Quote(n.text), listObjects(exact), n.advice())
	case len(exact) == 1 && exact[0].unverified:
		return fmt.Sprintf("the sending address %s is not verified, so the TMS sends no mail from this address; verify the address in the TMS, or use another address", exact[0])
	case len(exact) == 1:
		return ""
	case len(similar) > 0:
		return fmt.Sprintf("the tenant has no %s %q in this spelling, but has %s; use the spelling of the TMS", n.kind, diagnostic.Quote(n.text), listObjects(similar))
	}
	if other := n.otherKind(tenant); other != "" {
		return fmt.Sprintf("the tenant has no %s %q, but has a %s of this name; write %s instead", n.kind, diagnostic.Quote(n.text), other, other)
	}
	if n.form == idOnly || opportunity.ID(n.text).Type() != "" {
		identifier := map[bool]string{true: "key", false: "id"}[n.kind == NamedAttribute]
		return fmt.Sprintf("the tenant has no %s with the %s %s; there are %s", n.kind, identifier, diagnostic.Quote(n.text), orNone(listObjects(objects)))
	}
	var names []string
	for _, o := range objects {
		if !slices.Contains(names, o.Name) {
			names = append(names, o.Name)
		}
	}
	return fmt.Sprintf("the tenant has no %s %q; %s", n.kind, diagnostic.Quote(n.text), diagnostic.Suggest(n.text, names))
}

// otherKind returns NamedStep for the name of a stage that only a step has, and NamedStage for the
// name of a step that only a stage has.
func (n tenantName) otherKind(tenant TenantObjects) NameKind {
	other := map[NameKind]NameKind{NamedStep: NamedStage, NamedStage: NamedStep}[n.kind]
	objects, _ := tenant.objects(other)
	if n.form == idOnly || !slices.ContainsFunc(objects, func(o tenantObject) bool { return o.Name == n.text }) {
		return ""
	}
	return other
}

func (n tenantName) advice() string {
	switch {
	case n.form != nameOnly:
		return "give the id"
	case n.kind == NamedStage:
		return "the condition is true for each of these objects"
	}
	return fmt.Sprintf("the condition is true for each of these objects; to select only one object, compare %sId", n.kind)
}

func (k NameKind) plural() string {
	if k == NamedSendingAddress {
		return "sending addresses"
	}
	return string(k) + "s"
}

const maxListedObjects = 10

func listObjects(objects []tenantObject) string {
	list := make([]string, 0, len(objects))
	for _, o := range objects[:min(len(objects), maxListedObjects)] {
		list = append(list, o.String())
	}
	if more := len(objects) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("%d more", more))
	}
	return strings.Join(list, ", ")
}

func orNone(list string) string { return cmp.Or(list, "none") }

func (c *checker) collectTenantNames() []tenantName {
	names := c.attributes
	add := func(kind NameKind, form nameForm, path, text string) {
		if text != "" {
			line, column := c.position(path)
			names = append(names, tenantName{kind, form, text, line, column})
		}
	}
	selector := func(path string, s *StepSelector) {
		if s != nil {
			add(NamedStep, nameOrID, path+".step", s.Step)
			add(NamedStage, nameOrID, path+".stage", s.Stage)
		}
	}
	for i, rule := range c.rules.Transitions {
		selector(fmt.Sprintf("transitions[%d].from", i), rule.From)
		selector(fmt.Sprintf("transitions[%d].to", i), rule.To)
	}
	for i, rules := range c.rules.Steps {
		selector(fmt.Sprintf("steps[%d].at", i), &rules.At)
		for j, followUp := range rules.FollowUps {
			path := fmt.Sprintf("steps[%d].followUps[%d]", i, j)
			for _, action := range []struct {
				path string
				rule *ActionRule
			}{{path + ".do", &followUp.Do}, {path + ".then", followUp.Then}} {
				if action.rule != nil && action.rule.Progress != nil {
					add(NamedStep, lookedUp, action.path+".progress.to", action.rule.Progress.To)
				}
			}
		}
	}
	for _, name := range sortedNames(c.rules.Emails) {
		add(NamedSendingAddress, idOnly, "emails."+name+".from", c.rules.Emails[name].From)
	}
	for _, path := range sortedNames(c.conditions) {
		names = append(names, c.conditionNames(path)...)
	}
	return names
}

// conditionNames returns the names of objects of the tenant that the condition at the path
// compares. conditionNames omits a name that the condition compares with a function's result, such
// as lower(region).
func (c *checker) conditionNames(path string) []tenantName {
	node := c.nodes[path]
	if node == nil {
		return nil
	}
	tree, err := parser.Parse(node.Value)
	if err != nil {
		return nil
	}
	var names []tenantName
	finder := &nameFinder{add: func(kind NameKind, form nameForm, text *ast.StringNode) {
		line, column := c.positionInText(path, node.Value, byteOffset(node.Value, text.Location().From))
		names = append(names, tenantName{kind, form, text.Value, line, column})
	}}
	ast.Walk(&tree.Node, finder)
	return names
}

// nameFinder finds the texts of a condition that are compared with a step, a stage or a region.
type nameFinder struct {
	add func(NameKind, nameForm, *ast.StringNode)
}

// Visit implements ast.Visitor.
func (f *nameFinder) Visit(node *ast.Node) {
	if member, is := (*node).(*ast.MemberNode); is {
		key, isText := member.Property.(*ast.StringNode)
		if of, is := member.Node.(*ast.IdentifierNode); is && isText && of.Value == "attributes" {
			f.add(NamedAttribute, idOnly, key)
		}
		return
	}
	comparison, is := (*node).(*ast.BinaryNode)
	if !is {
		return
	}
	switch comparison.Operator {
	case "==", "!=":
		f.compare(comparison.Left, comparison.Right)
		f.compare(comparison.Right, comparison.Left)
	case "in":
		f.compare(comparison.Left, comparison.Right)
	}
}

// If name is a variable for the name or the id of an object, compare adds the texts in value.
func (f *nameFinder) compare(name, value ast.Node) {
	variable, is := name.(*ast.IdentifierNode)
	if !is {
		return
	}
	compared, known := map[string]struct {
		kind NameKind
		form nameForm
	}{
		"step": {NamedStep, nameOnly}, "stepId": {NamedStep, idOnly}, "stage": {NamedStage, nameOnly},
		"region": {NamedRegion, nameOnly}, "regionId": {NamedRegion, idOnly},
	}[variable.Value]
	if !known {
		return
	}
	texts := []ast.Node{value}
	if list, is := value.(*ast.ArrayNode); is {
		texts = list.Nodes
	}
	for _, one := range texts {
		if text, is := one.(*ast.StringNode); is {
			f.add(compared.kind, compared.form, text)
		}
	}
}
