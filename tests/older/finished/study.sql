BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'search');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MAXIMIZE',1,0);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_user_attributes" VALUES(1,1,'space','"{\"name\":\"old\",\"description\":\"every word that has another name now\",\"base\":[{\"operator\":\"HorizontalFlip\",\"probability\":0.5},{\"operator\":\"ColourTemperature\",\"magnitude\":[0.1,0.5]}],\"families\":{\"geometry\":{\"Rotate\":0.2,\"TranslateX\":0.3},\"colour\":{\"ColourTemperature\":0.8,\"Contrast\":0.9}},\"layers\":[0,1],\"regularisation\":{},\"baselines\":[\"none\",\"flip-crop\"]}"');
INSERT INTO "study_user_attributes" VALUES(2,1,'strategy','"auto"');
INSERT INTO "study_user_attributes" VALUES(3,1,'seed','0');
INSERT INTO "study_user_attributes" VALUES(4,1,'facts','{"data_fingerprint": "09933f98de88", "image_size": null, "allow": [], "model": "auto", "recipe": {"epochs": 2, "batch_size": 16, "learning_rate": 0.1, "weight_decay": 0.0005, "label_smoothing": 0.1, "equal": "samples", "batch_counts": "samples"}, "seed": 0, "generator": null, "rule": null, "epochs": 2, "batch_size": 16, "learning_rate": 0.1, "weight_decay": 0.0005, "label_smoothing": 0.1, "equal": "samples", "batch_counts": "samples", "task": "classification", "training_split": "44103f0fd4f5", "network": "633f28da8c3a"}');
INSERT INTO "study_user_attributes" VALUES(5,1,'sessions','1');
INSERT INTO "study_user_attributes" VALUES(6,1,'found:matching','"{\"policy\": null, \"too few\": 50, \"failed\": \"\", \"started\": 1795666954.3323152, \"ended\": 1795666954.3324647, \"passes\": 0, \"session\": 1}"');
INSERT INTO "study_user_attributes" VALUES(7,1,'found:affinity','"{\"operators\": {\"Rotate\": [[0.25, 1.0, 0.9989840518407351], [0.5, 1.0, 0.9990626116840243], [0.75, 1.0, 1.000882191994854], [1.0, 1.0, 1.002681694278821]], \"TranslateX\": [[0.25, 1.0, 1.0], [0.5, 1.0, 0.9993163249325651], [0.75, 1.0, 1.001430212611702], [1.0, 1.0, 1.0051254456865644]], \"ColourTemperature\": [[0.25, 1.0, 1.0], [0.5, 1.0, 1.0], [0.75, 1.0, 1.0], [1.0, 1.0, 1.0]], \"Contrast\": [[0.25, 1.0, 0.9990255951035898], [0.5, 1.0, 0.9983617060189909], [0.75, 1.0, 0.9984475669629574], [1.0, 1.0, 0.9983827331889419]]}, \"strength\": 1.0, \"failed\": \"\", \"started\": 1795666957.6946173, \"ended\": 1795666961.0703495, \"passes\": 113, \"session\": 1}"');
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_intermediate_values" VALUES(1,1,1,3.33333333333333314829e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,1,2,3.33333333333333314829e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(3,2,1,3.33333333333333314829e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,2,2,3.33333333333333314829e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,3,1,3.33333333333333314829e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(6,3,2,3.33333333333333314829e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,4,1,5.55555555555555580227e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(8,4,2,7.22222222222222209886e-01,'FINITE');
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,3,'layers',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 1}}');
INSERT INTO "trial_params" VALUES(2,3,'family',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["geometry", "colour"]}}');
INSERT INTO "trial_params" VALUES(3,3,'probability',1.0,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.1, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(4,3,'strength',1.0,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.1, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(5,3,'HorizontalFlip',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["off", "on"]}}');
INSERT INTO "trial_params" VALUES(6,3,'ColourTemperature',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["off", "on"]}}');
INSERT INTO "trial_params" VALUES(7,3,'weight_decay',9.75126962031696263577e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.005, "log": true}}');
INSERT INTO "trial_params" VALUES(8,3,'dropout',4.6797149814544802826e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.5, "log": false}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_system_attributes" VALUES(1,3,'fixed_params','{"layers of": "space", "reach": 1.0, "HorizontalFlip": "on", "ColourTemperature": "off", "ColourTemperature.magnitude": 0.5, "layers": 1, "family": "geometry", "probability": 1.0, "strength": 1.0, "mixing": "none", "mixing.probability": 0.6, "mixing.alpha": 1.0, "copies": 1, "matched": "on"}');
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'asked','{"name": "none", "stage": "baselines", "share": 0.25, "repeat": 0, "baseline": true, "span": [0.0, 1.0], "policy": "{\"name\":\"none\"}", "fingerprint": "44136fa355b3"}');
INSERT INTO "trial_user_attributes" VALUES(2,1,'outcome','{"started": 1795666954.9283936, "ended": 1795666956.1826355, "augmentation_seconds": 0.0019805640004051384, "samples_seen": 32, "passes": 32, "reason": "", "note": "", "session": 1}');
INSERT INTO "trial_user_attributes" VALUES(3,2,'asked','{"name": "flip-crop", "stage": "baselines", "share": 0.25, "repeat": 0, "baseline": true, "span": [0.0, 1.0], "policy": "{\"name\":\"flip-crop\",\"layers\":[{\"branches\":[{\"operations\":[{\"operator\":\"HorizontalFlip\",\"probability\":0.5,\"magnitude\":[1.0,1.0]}]}]},{\"branches\":[{\"operations\":[{\"operator\":\"PadCrop\",\"magnitude\":[0.25,0.25]}]}]}]}", "fingerprint": "324c80e51768"}');
INSERT INTO "trial_user_attributes" VALUES(4,2,'outcome','{"started": 1795666956.7257915, "ended": 1795666957.542369, "augmentation_seconds": 0.09605340300186072, "samples_seen": 32, "passes": 32, "reason": "", "note": "", "session": 1}');
INSERT INTO "trial_user_attributes" VALUES(5,3,'asked','{"name": "trial-2", "stage": "portfolio", "share": 0.25, "repeat": 0, "baseline": false, "span": [0.0, 1.0], "policy": "{\"name\":\"trial-2\",\"layers\":[{\"branches\":[{\"operations\":[{\"operator\":\"HorizontalFlip\",\"probability\":0.5,\"magnitude\":[1.0,1.0]}]}]},{\"branches\":[{\"operations\":[{\"operator\":\"Rotate\",\"magnitude\":[0.0,0.2]}]},{\"operations\":[{\"operator\":\"TranslateX\",\"magnitude\":[0.0,0.3]}]}]}],\"regularisation\":{\"weight_decay\":0.0009751269620316963,\"dropout\":0.46797149814544803}}", "fingerprint": "7e4f9cbb04a5"}');
INSERT INTO "trial_user_attributes" VALUES(6,3,'outcome','{"started": 1795666961.7361653, "ended": 1795666962.9766848, "augmentation_seconds": 0.09651485799986403, "samples_seen": 32, "passes": 32, "reason": "", "note": "", "session": 1}');
INSERT INTO "trial_user_attributes" VALUES(7,4,'asked','{"name": "trial-2", "stage": "finish", "share": 1.0, "repeat": 0, "baseline": false, "span": [0.0, 1.0], "policy": "{\"name\":\"trial-2\",\"layers\":[{\"branches\":[{\"operations\":[{\"operator\":\"HorizontalFlip\",\"probability\":0.5,\"magnitude\":[1.0,1.0]}]}]},{\"branches\":[{\"operations\":[{\"operator\":\"Rotate\",\"magnitude\":[0.0,0.2]}]},{\"operations\":[{\"operator\":\"TranslateX\",\"magnitude\":[0.0,0.3]}]}]}],\"regularisation\":{\"weight_decay\":0.0009751269620316963,\"dropout\":0.46797149814544803}}", "fingerprint": "7e4f9cbb04a5"}');
INSERT INTO "trial_user_attributes" VALUES(8,4,'outcome','{"started": 1795666963.6182706, "ended": 1795666965.0890174, "augmentation_seconds": 0.03340702200148371, "samples_seen": 112, "passes": 112, "reason": "", "note": "", "session": 1}');
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,3.33333333333333314829e-01,'FINITE');
INSERT INTO "trial_values" VALUES(2,2,0,3.33333333333333314829e-01,'FINITE');
INSERT INTO "trial_values" VALUES(3,3,0,3.33333333333333314829e-01,'FINITE');
INSERT INTO "trial_values" VALUES(4,4,0,7.22222222222222209886e-01,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-26 04:22:34.394111','2026-11-26 04:22:36.403144');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-26 04:22:36.466417','2026-11-26 04:22:37.663559');
INSERT INTO "trials" VALUES(3,2,1,'COMPLETE','2026-11-26 04:22:41.124618','2026-11-26 04:22:43.340154');
INSERT INTO "trials" VALUES(4,3,1,'COMPLETE','2026-11-26 04:22:43.392217','2026-11-26 04:22:45.284721');
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;
