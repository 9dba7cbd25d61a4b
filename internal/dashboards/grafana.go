package dashboards

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// schema is the version of Grafana 13's dashboards. Newer ones bring it up to
// theirs as they load it.
const schema = 42

type object = map[string]any

var source = object{"type": "prometheus", "uid": "${datasource}"}

// JSON is the dashboard as a file that Grafana loads.
func (d Dashboard) JSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(object{
		"uid": d.UID, "title": d.Title, "description": d.Description, "tags": []string{"flox"},
		"schemaVersion": schema, "version": 1, "editable": true, "graphTooltip": 1,
		"time": object{"from": "now-30m", "to": "now"}, "refresh": "10s", "timezone": "browser",
		"annotations": object{"list": []any{}},
		"templating":  object{"list": d.variables()},
		"links":       d.links(), "panels": d.panels(),
	})
	return b.Bytes(), err
}

func (d Dashboard) links() []object {
	var out []object
	for _, other := range All() {
		if other.UID != d.UID {
			out = append(out, object{
				"type": "link", "title": other.Title, "tooltip": other.Description, "icon": "dashboard",
				"url": "/d/" + other.UID, "keepTime": true, "includeVars": true, "targetBlank": false, "asDropdown": false, "tags": []string{},
			})
		}
	}
	return out
}

func (d Dashboard) variables() []object {
	out := []object{{
		"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus",
		"refresh": 1, "hide": 0,
	}}
	for _, v := range d.Variables {
		o := object{
			"name": v.Name, "label": v.Label, "type": "query", "datasource": source,
			"definition": v.query(), "query": object{"qryType": 1, "query": v.query(), "refId": v.Name}, "regex": "", "options": []any{},
			// On a change of the time range: what was there then.
			"refresh": 2, "sort": 1, "hide": 0, "multi": v.Multi, "includeAll": v.Multi,
		}
		if v.Multi {
			o["allValue"] = ".*"
			o["current"] = object{"selected": true, "text": []string{"All"}, "value": []string{"$__all"}}
		}
		out = append(out, o)
	}
	return out
}

func (v Variable) query() string { return "label_values(" + v.Series + ", " + v.From + ")" }

func (d Dashboard) panels() []object {
	var out []object
	for _, at := range d.layout() {
		o := object{"type": "row", "title": at.row, "collapsed": false, "panels": []any{}}
		if at.panel != nil {
			o = at.panel.object()
		}
		o["id"], o["gridPos"] = len(out)+1, object{"x": at.x, "y": at.y, "w": at.w, "h": at.h}
		out = append(out, o)
	}
	return out
}

func (p Panel) object() object {
	var targets []object
	for i, q := range p.Queries {
		t := object{
			"refId": string(rune('A' + i)), "datasource": source, "expr": q.Expr, "editorMode": "code",
			"legendFormat": q.Legend, "instant": p.instant(), "range": !p.instant(), "format": "time_series",
		}
		if p.Kind == Table {
			t["format"] = "table"
		}
		targets = append(targets, t)
	}
	o := object{
		"type": string(p.Kind), "title": p.Title, "description": p.Description, "datasource": source,
		"targets": targets, "options": p.options(),
		"fieldConfig": object{"defaults": p.defaults(), "overrides": p.overrides()},
	}
	if p.Kind == Table {
		o["transformations"] = []object{{"id": "organize", "options": object{
			"excludeByName": object{"Time": true, "__name__": true, "Value": true, "job": true},
		}}}
	}
	return o
}

func (p Panel) options() object {
	last := object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	switch p.Kind {
	case Stat:
		return object{
			"reduceOptions": last, "colorMode": "background", "graphMode": "none", "textMode": "auto",
			"justifyMode": "auto", "orientation": "auto", "wideLayout": true, "showPercentChange": false, "percentChangeColorMode": "standard",
		}
	case Bars:
		return object{
			"reduceOptions": last, "displayMode": "gradient", "orientation": "horizontal", "valueMode": "color",
			"namePlacement": "auto", "showUnfilled": true, "sizing": "auto", "minVizHeight": 16, "maxVizHeight": 300, "minVizWidth": 8,
			"legend": object{"showLegend": false, "displayMode": "list", "placement": "bottom", "calcs": []string{}},
		}
	case Table:
		return object{"showHeader": true, "cellHeight": "sm", "frameIndex": 0}
	}
	return object{
		"tooltip": object{"mode": "multi", "sort": "desc"},
		"legend": object{
			"showLegend": true, "displayMode": "table", "placement": "bottom", "calcs": []string{"lastNotNull", "mean", "max"},
			"sortBy": "Last *", "sortDesc": true,
		},
	}
}

func (p Panel) defaults() object {
	steps := []object{}
	for i, s := range p.Steps {
		step := object{"color": s.Color, "value": any(s.From)}
		if i == 0 {
			step["value"] = nil
		}
		steps = append(steps, step)
	}
	if len(steps) == 0 {
		steps = append(steps, object{"color": "blue", "value": nil})
	}
	mode := "palette-classic"
	if p.Kind != Lines {
		mode = "thresholds"
	}
	o := object{
		"unit": p.Unit, "noValue": p.NoValue, "min": 0, "color": object{"mode": mode}, "mappings": p.mappings(),
		"thresholds": object{"mode": "absolute", "steps": steps}, "links": []object{}, "custom": object{},
	}
	if p.signed() {
		delete(o, "min")
	}
	if p.Link != "" {
		o["links"] = []object{{"title": "Open", "url": p.Link, "targetBlank": false}}
	}
	switch p.Kind {
	case Lines:
		fill, stack := 8, "none"
		if p.Stack {
			fill, stack = 40, "normal"
		}
		style := "off"
		if len(p.Steps) > 1 {
			style = "dashed"
		}
		o["custom"] = object{
			"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": fill, "showPoints": "auto",
			"pointSize": 4, "spanNulls": false, "axisPlacement": "auto", "stacking": object{"mode": stack, "group": "A"},
			"thresholdsStyle": object{"mode": style},
		}
	case Table:
		o["custom"] = object{"align": "auto", "cellOptions": object{"type": "auto"}, "filterable": false, "inspect": false}
	}
	return o
}

// signed tells whether a panel's values may be below 0.
func (p Panel) signed() bool { return p.Title == clockOffset }

func (p Panel) mappings() []object {
	if len(p.Says) == 0 {
		return []object{}
	}
	options := object{}
	for value, text := range p.Says {
		options[value] = object{"text": text}
	}
	return []object{{"type": "value", "options": options}}
}

// overrides give the series whose names say it their colours.
func (p Panel) overrides() []object {
	out := []object{}
	for _, q := range p.Queries {
		names := []string{q.Legend}
		if l := legendLabels(q.Legend); len(l) == 1 {
			names = slices.Sorted(maps.Keys(colors[l[0]]))
		}
		for _, name := range names {
			if c := q.color(name); c != "" && p.Kind == Lines {
				out = append(out, object{
					"matcher":    object{"id": "byName", "options": name},
					"properties": []object{{"id": "color", "value": object{"mode": "fixed", "fixedColor": c}}},
				})
			}
		}
	}
	return out
}
