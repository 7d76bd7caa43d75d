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
INSERT INTO "study_user_attributes" VALUES(2,1,'strategy','"tpe"');
INSERT INTO "study_user_attributes" VALUES(3,1,'seed','0');
INSERT INTO "study_user_attributes" VALUES(4,1,'facts','{"data_fingerprint": "09933f98de88", "image_size": null, "allow": [], "model": "auto", "recipe": {"epochs": 2, "batch_size": 16, "learning_rate": 0.1, "weight_decay": 0.0005, "label_smoothing": 0.1, "equal": "samples", "batch_counts": "images"}, "seed": 0, "generator": null, "rule": null, "epochs": 2, "batch_size": 16, "learning_rate": 0.1, "weight_decay": 0.0005, "label_smoothing": 0.1, "equal": "samples", "batch_counts": "images", "task": "classification", "training_split": "44103f0fd4f5", "network": "633f28da8c3a"}');
INSERT INTO "study_user_attributes" VALUES(5,1,'sessions','1');
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
INSERT INTO "trial_intermediate_values" VALUES(1,1,1,7.22222222222222209886e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,1,2,7.22222222222222209886e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(3,2,1,0.5,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,2,2,6.66666666666666629659e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,3,1,6.66666666666666629659e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(6,3,2,6.66666666666666629659e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,4,1,1.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(8,4,2,6.66666666666666629659e-01,'FINITE');
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
INSERT INTO "trial_params" VALUES(1,3,'HorizontalFlip',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["off", "on"]}}');
INSERT INTO "trial_params" VALUES(2,3,'ColourTemperature',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["off", "on"]}}');
INSERT INTO "trial_params" VALUES(3,3,'layers',0.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 1}}');
INSERT INTO "trial_params" VALUES(4,3,'weight_decay',1.25054622608340368361e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.005, "log": true}}');
INSERT INTO "trial_params" VALUES(5,3,'dropout',4.00124988490304867028e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.5, "log": false}}');
INSERT INTO "trial_params" VALUES(6,4,'HorizontalFlip',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["off", "on"]}}');
INSERT INTO "trial_params" VALUES(7,4,'ColourTemperature',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["off", "on"]}}');
INSERT INTO "trial_params" VALUES(8,4,'layers',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 1}}');
INSERT INTO "trial_params" VALUES(9,4,'layer1.family',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["geometry", "colour"]}}');
INSERT INTO "trial_params" VALUES(10,4,'layer1.probability',3.37579311711552532138e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.1, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(11,4,'layer1.strength',3.18750405900846689455e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.1, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(12,4,'weight_decay',1.0773863117465213939e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.005, "log": true}}');
INSERT INTO "trial_params" VALUES(13,4,'dropout',2.2275013979701929756e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.5, "log": false}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'asked','{"name": "none", "stage": "baselines", "share": 1.0, "repeat": 0, "baseline": true, "span": [0.0, 1.0], "policy": "{\"name\":\"none\"}", "fingerprint": "44136fa355b3"}');
INSERT INTO "trial_user_attributes" VALUES(2,1,'outcome','{"started": 1795667815.4663274, "ended": 1795667816.5792406, "augmentation_seconds": 0.002312377000635024, "samples_seen": 112, "passes": 112, "reason": "", "note": "", "session": 1}');
INSERT INTO "trial_user_attributes" VALUES(3,2,'asked','{"name": "flip-crop", "stage": "baselines", "share": 1.0, "repeat": 0, "baseline": true, "span": [0.0, 1.0], "policy": "{\"name\":\"flip-crop\",\"layers\":[{\"branches\":[{\"operations\":[{\"operator\":\"HorizontalFlip\",\"probability\":0.5,\"magnitude\":[1.0,1.0]}]}]},{\"branches\":[{\"operations\":[{\"operator\":\"PadCrop\",\"magnitude\":[0.25,0.25]}]}]}]}", "fingerprint": "324c80e51768"}');
INSERT INTO "trial_user_attributes" VALUES(4,2,'outcome','{"started": 1795667816.8392587, "ended": 1795667818.0488923, "augmentation_seconds": 0.058652502000768436, "samples_seen": 112, "passes": 112, "reason": "", "note": "", "session": 1}');
INSERT INTO "trial_user_attributes" VALUES(5,3,'asked','{"name": "trial-2", "stage": "search", "share": 1.0, "repeat": 0, "baseline": false, "span": [0.0, 1.0], "policy": "{\"name\":\"trial-2\",\"layers\":[{\"branches\":[{\"operations\":[{\"operator\":\"HorizontalFlip\",\"probability\":0.5,\"magnitude\":[1.0,1.0]}]}]}],\"regularisation\":{\"weight_decay\":0.0012505462260834037,\"dropout\":0.40012498849030487}}", "fingerprint": "cad2a09c5c2e"}');
INSERT INTO "trial_user_attributes" VALUES(6,3,'outcome','{"started": 1795667818.6642067, "ended": 1795667819.7666633, "augmentation_seconds": 0.05729586700181244, "samples_seen": 112, "passes": 112, "reason": "", "note": "", "session": 1}');
INSERT INTO "trial_user_attributes" VALUES(7,4,'asked','{"name": "trial-3", "stage": "search", "share": 1.0, "repeat": 0, "baseline": false, "span": [0.0, 1.0], "policy": "{\"name\":\"trial-3\",\"layers\":[{\"branches\":[{\"operations\":[{\"operator\":\"HorizontalFlip\",\"probability\":0.5,\"magnitude\":[1.0,1.0]}]}]},{\"branches\":[{\"operations\":[{\"operator\":\"Rotate\",\"probability\":0.33757931171155253,\"magnitude\":[0.0,0.06375008118016934]}]},{\"operations\":[{\"operator\":\"TranslateX\",\"probability\":0.33757931171155253,\"magnitude\":[0.0,0.095625121770254]}]}]}],\"regularisation\":{\"weight_decay\":0.00010773863117465214,\"dropout\":0.2227501397970193}}", "fingerprint": "1f90d69d6ffe"}');
INSERT INTO "trial_user_attributes" VALUES(8,4,'outcome','{"started": 1795667820.3486457, "ended": 1795667821.4598787, "augmentation_seconds": 0.11994310799855157, "samples_seen": 112, "passes": 112, "reason": "", "note": "", "session": 1}');
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
INSERT INTO "trial_values" VALUES(1,1,0,7.22222222222222209886e-01,'FINITE');
INSERT INTO "trial_values" VALUES(2,2,0,6.66666666666666629659e-01,'FINITE');
INSERT INTO "trial_values" VALUES(3,3,0,6.66666666666666629659e-01,'FINITE');
INSERT INTO "trial_values" VALUES(4,4,0,6.66666666666666629659e-01,'FINITE');
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
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-26 04:36:55.141190','2026-11-26 04:36:56.704367');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-26 04:36:56.766624','2026-11-26 04:36:58.153969');
INSERT INTO "trials" VALUES(3,2,1,'COMPLETE','2026-11-26 04:36:58.178365','2026-11-26 04:36:59.913620');
INSERT INTO "trials" VALUES(4,3,1,'COMPLETE','2026-11-26 04:37:00.004025','2026-11-26 04:37:01.612482');
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
