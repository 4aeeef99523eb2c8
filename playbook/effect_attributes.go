package playbook

import (
	"strings"

	"github.com/oppflow/oppflow/exchange"
)

// AttributesRule says which values the attributes of the record have after the effect.
type AttributesRule struct {
	// Set contains a template for the value of each attribute, by the key of the attribute.
	Set map[string]Text `json:"set"`
}

func (r *AttributesRule) undo() (exchange.UndoLevel, string) {
	return exchange.UndoExact, "the earlier values of the attributes are written back"
}

func (r *AttributesRule) describe() string {
	var all []string
	for _, key := range sortedNames(r.Set) {
		all = append(all, key+" to "+quote(r.Set[key]))
	}
	return "set " + strings.Join(all, ", ")
}

func (r *AttributesRule) check(c *checker, path string) {
	if len(r.Set) == 0 && c.isGiven(path+".set") {
		c.report(path+".set", "the effect sets no attributes; give at least one key and its value")
	}
	c.atMost(path+".set", len(r.Set), 50)
	for _, key := range sortedNames(r.Set) {
		line, column := c.position(path + ".set." + key)
		c.attributes = append(c.attributes, tenantName{NamedAttribute, idOnly, key, line, column})
		if text := r.Set[key]; text != "" { // an empty text clears the attribute
			c.checkText(path+".set."+key, text, Variables{}, false)
		}
	}
}

func (r *AttributesRule) plan(p *planner, rule string) any {
	values := make(map[string]string)
	for _, key := range sortedNames(r.Set) {
		values[key] = p.render(rule, r.Set[key])
	}
	return exchange.EnsureAttributes{Values: values}
}

func (r *AttributesRule) usesFirstStart() bool {
	for _, text := range r.Set {
		if text.usesFirstStart() {
			return true
		}
	}
	return false
}

func (r *AttributesRule) isRepeatable() bool { return true }
