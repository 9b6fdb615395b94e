// Judges KEDA's objects, given as a JSON list on standard input: prints the errors of each, as JSON.
const folder = process.argv[2];
const validators = {};
for (const kind of ["ScaledObject", "TriggerAuthentication"]) {
    validators[kind] = require(`${folder}/node_modules/@kubernetes-models/keda/_schemas/KedaShV1alpha1${kind}.js`).validate;
}
const objects = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(objects.map((object) => {
    const validate = validators[object.kind];
    return validate(object) ? [] : validate.errors;
})));
