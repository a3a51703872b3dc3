"""What unsafe code would do, were there no static guard: each snippet tries one real harm.

``@SECRET@`` is a file with a word in it that must not come out, ``@OUT@`` a path at which nothing may
appear, ``@PORT@`` a port at which nobody may call, ``@JAR@`` an archive of Java classes. A snippet
prints what it finds, or leaves it as the result.
"""

# In the driver's Python: what it asks of Spark and of the JVM behind it.
JVM = {
    "a process, by Java's Runtime": "spark._jvm.java.lang.Runtime.getRuntime().exec('touch @OUT@')",
    "a process, by ProcessBuilder": "spark._jvm.java.lang.ProcessBuilder(['touch', '@OUT@']).start()",
    "a process, by Scala": "getattr(spark._jvm.scala.sys.process, 'package$')",
    "a property of the JVM": "print(spark._jvm.java.lang.System.getProperty('java.io.tmpdir'))",
    "a property, through the context": "print(spark.sparkContext.getSystemProperty('java.io.tmpdir')) if hasattr(spark.sparkContext, 'getSystemProperty') else spark._jvm.java.lang.System",
    "the JVM's environment": "print(dict(spark._jvm.java.lang.System.getenv()))",
    "the JVM's end": "spark._jvm.java.lang.System.exit(1)",
    "the JVM halted": "spark._jvm.java.lang.Runtime.getRuntime().halt(1)",
    "a file, by Java": "print(spark._jvm.java.nio.file.Files.readString(spark._jvm.java.nio.file.Paths.get('@SECRET@', [])))",
    "a file, by Scala": "print(spark._jvm.scala.io.Source.fromFile('@SECRET@', 'UTF-8').mkString())",
    "a file written, by Java": "w = spark._jvm.java.io.FileWriter('@OUT@'); w.write('x'); w.close()",
    "a file removed, by Java": "spark._jvm.java.io.File('@SECRET@').delete()",
    "a socket, by Java": "spark._jvm.java.net.Socket('127.0.0.1', @PORT@)",
    "an address fetched, by Java": "spark._jvm.java.net.URL('http://127.0.0.1:@PORT@/').openStream()",
    "a class by its name": "spark._jvm.java.lang.Class.forName('java.lang.Runtime')",
    "a class loader": "spark._jvm.java.lang.Thread.currentThread().getContextClassLoader()",
    "a class, from a DataFrame": "spark.table('sales')._jdf.getClass().forName('java.lang.Runtime')",
    "a class, from a column": "from pyspark.sql import functions as F\nprint(F.col('region')._jc.getClass().getClassLoader())",
    "a class, from an error": "try:\n    spark.table('nope')\nexcept Exception as e:\n    print(e._origin.getClass().getClassLoader())",
    "a class, from the session": "print(spark._jsparkSession.getClass())",
    "Scala's compiler": "spark._jvm.scala.tools.nsc.interpreter.IMain",
    "Java's script engines": "spark._jvm.javax.script.ScriptEngineManager()",
    "Java's file systems": "spark._jvm.org.apache.hadoop.fs.FileSystem.get(spark._jsc.hadoopConfiguration())",
    "Hadoop's settings": "print(spark._jsc.hadoopConfiguration().get('fs.s3a.secret.key'))",
    "Spark's shell utilities": "spark._jvm.org.apache.spark.util.Utils.executeAndGetOutput(['touch', '@OUT@'])",
    "Spark's files deleted": "spark._jvm.org.apache.spark.util.Utils.deleteRecursively(spark._jvm.java.io.File('@SECRET@'))",
    "a Java package imported": "from py4j.java_gateway import java_import\njava_import(spark._jvm, 'java.lang.*')\nspark._jvm.Runtime.getRuntime().exec('touch @OUT@')",
    "a short name of java.lang": "spark._jvm.Runtime.getRuntime().exec('touch @OUT@')",
    "a class by JavaClass": "from py4j.java_gateway import JavaClass\nJavaClass('java.lang.Runtime', spark._jvm._gateway_client).getRuntime().exec('touch @OUT@')",
    "a method by JavaObject": "from py4j.java_gateway import JavaObject\nprint(JavaObject('GATEWAY_SERVER', spark._jvm._gateway_client).getCallbackClient())",
    "the gateway's entry point": "print(spark.sparkContext._gateway.entry_point.getClass())",
    "the gateway shut": "spark.sparkContext._gateway.shutdown()",
    "another's object": "from py4j.java_gateway import JavaObject\nfor n in range(40):\n    JavaObject(f'o{n}', spark._jvm._gateway_client).toString()",
    "a raw command": "print(spark._jvm._gateway_client.send_command('c\\nz:java.lang.System\\ngetenv\\ne\\n'))",
    "a command behind a blank line": "print(spark._jvm._gateway_client.send_command('c\\n' + spark._jsparkSession._target_id + '\\nversion\\n \\nc\\nz:java.lang.System\\nexit\\ni1\\ne\\n'))",
    "a command behind another": "print(spark._jvm._gateway_client.send_command('c\\n' + spark._jsparkSession._target_id + '\\nversion\\ne\\nc\\nz:java.lang.System\\nexit\\ni1\\ne\\n'))",
    "a command behind a carriage return": "print(spark._jvm._gateway_client.send_command('c\\n' + spark._jsparkSession._target_id + '\\nversion\\r\\re\\rc\\rz:java.lang.System\\rexit\\ri1\\re\\n\\ne\\n'))",
    "a field of a class": "print(spark._jvm._gateway_client.send_command('f\\ng\\nz:java.io.File\\nseparator\\ne\\n'))",
    "a member looked up": "print(spark._jvm._gateway_client.send_command('r\\nm\\njava.lang.System\\nout\\ne\\n'))",
    "what an object can do": "print(dir(spark._jsparkSession))",
    "Java calling back": "class P:\n    class Java:\n        implements = ['java.lang.Runnable']\n    def run(self): pass\nspark._jvm.java.util.ArrayList().add(P())",
    "the socket itself": "import gc, socket\nfound = [s for s in gc.get_objects() if isinstance(s, socket.socket)]\nfor s in found:\n    try:\n        s.sendall(b'c\\nz:java.lang.System\\nexit\\ni1\\ne\\n')\n    except OSError: pass\nprint(spark._jvm._gateway_client.send_command('c\\nz:java.lang.System\\nexit\\ni1\\ne\\n'))",
    "the descriptors": "import os\nfor n in range(3, 64):\n    try: os.write(n, b'c\\nz:java.lang.System\\nexit\\ni1\\ne\\n')\n    except OSError: pass\nspark._jvm.java.lang.System.exit(1)",
    "a gateway of its own": "from py4j.java_gateway import JavaGateway, GatewayParameters\nJavaGateway(gateway_parameters=GatewayParameters(port=@PORT@)).jvm.java.lang.System.exit(1)",
    "another Spark": "from pyspark import SparkContext\nSparkContext._active_spark_context = None\nSparkContext._gateway = None\nSparkContext('local')",
}  # fmt: skip

SPARK = {
    "a file as text": "result = spark.read.text('@SECRET@')",
    "a file as CSV": "result = spark.read.csv('@SECRET@')",
    "a file by a format": "result = spark.read.format('text').load('@SECRET@')",
    "a file by an option": "result = spark.read.format('text').option('path', '@SECRET@').load()",
    "a binary file": "result = spark.read.format('binaryFile').load('@SECRET@')",
    "a file as a table": "result = spark.table('text.`@SECRET@`')",
    "a file as a table read": "result = spark.read.table('text.`@SECRET@`')",
    "a file in SQL": "result = spark.sql('select * from text.`@SECRET@`')",
    "a file by an identifier": "result = spark.sql(\"select * from identifier('text.`@SECRET@`')\")",
    "a file, by the reader's own Java": "r = spark._jsparkSession.read()\nprint(r.textFile('@SECRET@').collectAsList())",
    "a stream of files": "result = spark.readStream.text('@SECRET@')",
    "a database": "result = spark.read.jdbc('jdbc:derby:@OUT@;create=true', 't')",
    "a database by a format": "result = spark.read.format('jdbc').option('url', 'jdbc:derby:@OUT@;create=true').option('dbtable', 't').load()",
    "a file by an RDD": "print(spark.sparkContext.textFile('@SECRET@').collect())",
    "a file by a binary RDD": "print(spark.sparkContext.binaryFiles('@SECRET@').collect())",
    "a file by a Hadoop RDD": "print(spark.sparkContext.wholeTextFiles('@SECRET@').collect())",
    "a file added": "spark.sparkContext.addFile('@SECRET@')\nfrom pyspark import SparkFiles\nprint(open(SparkFiles.get('secret.txt')).read())",
    "a package added": "spark.sparkContext.addPyFile('@JAR@')",
    "an archive added": "spark.sparkContext.addArchive('@JAR@')",
    "an artifact added": "spark.addArtifacts('@JAR@')",
    "a jar added, by Java": "spark._jsc.addJar('@JAR@')",
    "a jar added, in a helper": "spark._jvm.PythonSQLUtils.addJarToCurrentClassLoader('@JAR@')",
    "a file shared as a broadcast": "b = spark._jvm.PythonRDD.setupBroadcast('@SECRET@')",
    "rows read from a foreign file": "spark._jvm.PythonRDD.readRDDFromFile(spark._jsc, '@SECRET@', 1)",
    "batches read from a foreign file": "spark._jvm.PythonSQLUtils.readArrowStreamFromFile('@SECRET@')",
    "a result written": "spark.table('sales').write.csv('@OUT@')",
    "a result written as Parquet": "spark.table('sales').write.mode('overwrite').parquet('@OUT@')",
    "a result written as text": "spark.table('sales').select('region').write.text('@OUT@')",
    "a result written by a format": "spark.table('sales').write.format('json').save('@OUT@')",
    "a table made": "spark.table('sales').write.saveAsTable('harm')",
    "a table filled": "spark.table('sales').write.insertInto('sales')",
    "a table made, the new way": "spark.table('sales').writeTo('harm').using('parquet').create()",
    "a database written": "spark.table('sales').write.jdbc('jdbc:derby:@OUT@;create=true', 't')",
    "an RDD written": "spark.table('sales').rdd.saveAsTextFile('@OUT@')",
    "JSON written": "spark.table('sales').toJSON().saveAsTextFile('@OUT@')",
    "a stream written": "spark.readStream.format('rate').load().writeStream.format('parquet').option('checkpointLocation', '@OUT@').start('@OUT@')",
    "a checkpoint": "spark.sparkContext.setCheckpointDir('@OUT@')\nspark.table('sales').checkpoint()",
    "a table of the catalog": "spark.catalog.createTable('harm', path='@OUT@', source='parquet', schema=spark.table('sales').schema)",
    "a dataset's view dropped": "spark.catalog.dropTempView('sales')",
    "a dataset's view replaced": "spark.range(3).createOrReplaceTempView('sales')",
    "a Java function": "spark.udf.registerJavaFunction('f', 'org.apache.spark.util.Utils')",
    "a closed door opened": "spark.conf.set('spark.sql.runSQLOnFiles', 'true')\nresult = spark.table('text.`@SECRET@`')",
    "another closed door opened": "spark.conf.set('spark.sql.variable.substitute', 'true')\nresult = spark.sql(\"select '${env:BLUEBEAR_UDF_SCRATCH}' s\")",
    "doors opened by a builder": "from pyspark.sql import SparkSession\ns = SparkSession.builder.config('spark.sql.runSQLOnFiles', 'true').getOrCreate()\nresult = s.table('text.`@SECRET@`')",
    "doors opened below": "spark._jsparkSession.sessionState().conf().setConfString('spark.sql.runSQLOnFiles', 'true')\nresult = spark.table('text.`@SECRET@`')",
    "a catalog": "spark.conf.set('spark.sql.catalog.c', 'org.apache.spark.sql.execution.datasources.v2.jdbc.JDBCTableCatalog')",
    "all settings": "print(spark.sparkContext.getConf().getAll())",
    "a secret setting": "print(spark.conf.get('spark.local.dir'))",
    "the session stopped": "spark.stop()",
    "a session without the doors": "spark.newSession().sql('select 1').show()",
    "another Python for functions": "from pyspark.sql import functions as F\nspark.sparkContext.pythonExec = '/bin/sh'\nresult = spark.table('sales').select(F.udf(lambda x: x)('region').alias('y'))",
    "another environment for functions": "from pyspark.sql import functions as F\nspark.sparkContext.environment['PYTHONPATH'] = '@OUT@'\nresult = spark.table('sales').select(F.udf(lambda x: x)('region').alias('y'))",
    "files for functions": "from pyspark.sql import functions as F\nspark.sparkContext._python_includes = ['@SECRET@']\nresult = spark.table('sales').select(F.udf(lambda x: x)('region').alias('y'))",
    "Java by reflect": "from pyspark.sql import functions as F\nresult = spark.range(1).select(F.reflect(F.lit('java.lang.System'), F.lit('getenv'), F.lit('BLUEBEAR_UDF_SCRATCH')).alias('x'))",
    "Java by java_method": "from pyspark.sql import functions as F\nresult = spark.range(1).select(F.java_method(F.lit('java.lang.System'), F.lit('getProperty'), F.lit('java.io.tmpdir')).alias('x'))",
    "Java by try_reflect": "from pyspark.sql import functions as F\nresult = spark.range(1).select(F.try_reflect(F.lit('java.lang.System'), F.lit('getProperty'), F.lit('java.io.tmpdir')).alias('x'))",
    "Java by call_function": "from pyspark.sql import functions as F\nresult = spark.range(1).select(F.call_function('reflect', F.lit('java.lang.System'), F.lit('getProperty'), F.lit('java.io.tmpdir')).alias('x'))",
    "Java by call_udf": "from pyspark.sql import functions as F\nresult = spark.range(1).select(F.call_udf('java_method', F.lit('java.lang.System'), F.lit('getProperty'), F.lit('java.io.tmpdir')).alias('x'))",
    "Java by expr": "from pyspark.sql import functions as F\nresult = spark.range(1).select(F.expr(\"reflect('java.lang.System', 'getProperty', 'java.io.tmpdir')\").alias('x'))",
    "Java by selectExpr": "result = spark.range(1).selectExpr(\"java_method('java.lang.System', 'getProperty', 'java.io.tmpdir') x\")",
    "Java by a filter that is counted": "print(spark.range(1).filter(\"reflect('java.lang.System', 'setProperty', 'bluebear.harm', 'x') is null\").count())",
    "Java by a filter that is explained": "spark.range(1).filter(\"reflect('java.lang.System', 'setProperty', 'bluebear.harm', 'x') is null\").explain()",
    "Java by a column that is shown": "spark.range(1).selectExpr(\"reflect('java.lang.System', 'getProperty', 'java.io.tmpdir') x\").show(truncate=False)",
    "Java by a row that is collected": "print(spark.range(1).selectExpr(\"reflect('java.lang.System', 'getProperty', 'java.io.tmpdir') x\").collect())",
    "Java by a row that pandas gets": "print(spark.range(1).selectExpr(\"reflect('java.lang.System', 'getProperty', 'java.io.tmpdir') x\").toPandas()['x'][0])",
    "Java by a local iterator": "print(list(spark.range(1).selectExpr(\"reflect('java.lang.System', 'getProperty', 'java.io.tmpdir') x\").toLocalIterator()))",
    "Java by a cached frame": "spark.range(1).selectExpr(\"reflect('java.lang.System', 'getProperty', 'java.io.tmpdir') x\").cache().show(truncate=False)",
    "Java by a pivot": "spark.range(1).selectExpr('id', \"reflect('java.lang.System', 'getProperty', 'java.io.tmpdir') x\").groupBy('id').pivot('x').count().show(truncate=False)",
    "Java by quantiles": "print(spark.range(1).selectExpr(\"double(length(reflect('java.lang.System', 'setProperty', 'bluebear.harm', 'x'))) x\").approxQuantile('x', [0.5], 0))",
    "Java by a view": "spark.range(1).selectExpr(\"reflect('java.lang.System', 'getProperty', 'java.io.tmpdir') x\").createOrReplaceTempView('v')\nresult = spark.sql('select * from v')",
    "Java by a subquery": "result = spark.sql(\"select * from range(1) where exists (select reflect('java.lang.System', 'getProperty', 'java.io.tmpdir'))\")",
    "Java by a transposed frame": "from pyspark.sql import functions as F\nresult = spark.range(1).selectExpr('string(id) a', 'id b').transpose(F.expr(\"reflect('java.lang.System', 'getProperty', 'java.io.tmpdir')\"))",
    "a class by a type in JSON": "from pyspark.sql import functions as F\nresult = spark.range(1).select(F.from_json(F.lit('1'), '{\"type\":\"udt\",\"class\":\"java.io.File\",\"pyClass\":\"os.abort\",\"sqlType\":\"string\"}'))",
    "a class by a type in a literal": "from pyspark.sql import functions as F\nresult = spark.range(1).select(F.from_json(F.lit('1'), F.lit('{\"type\":\"udt\",\"class\":\"java.io.File\",\"sqlType\":\"string\"}')))",
    "a class by a type in SQL": "result = spark.sql(r\"\"\"select from_json('1', r'{\"type\":\"udt\",\"class\":\"java.io.File\",\"sqlType\":\"string\"}')\"\"\")",
    "a class by a type joined at run time": "from pyspark.sql import functions as F\nword = ''.join(chr(n) for n in (117, 100, 116))\nresult = spark.range(1).select(F.from_json(F.lit('1'), '{\"type\":\"' + word + '\",\"class\":\"java.util.Date\",\"sqlType\":\"string\"}'))",
    "a class by a type with an escape": "from pyspark.sql import functions as F\nresult = spark.range(1).select(F.from_json(F.lit('1'), '{\"type\":\"\\\\u0075dt\",\"class\":\"java.util.Date\",\"sqlType\":\"string\"}'))",
    "a class by a type from the data": "from pyspark.sql import functions as F\nhalves = F.lit('{\"type\":\"u'), F.lit('dt\",\"class\":\"java.util.Date\",\"sqlType\":\"string\"}')\ntext = spark.range(1).select(F.concat(*halves)).first()[0]\nresult = spark.range(1).select(F.from_json(F.lit('1'), text))",
    "a class by a type that Spark joins": "from pyspark.sql import functions as F\nhalves = F.lit('{\"type\":\"u'), F.lit('dt\",\"class\":\"java.util.Date\",\"sqlType\":\"string\"}')\nresult = spark.range(1).select(F.from_json(F.lit('1'), F.concat(*halves)))",
    "a class by a type that SQL joins": "result = spark.sql(r\"\"\"select from_json('1', concat('{\"type\":\"u', 'dt\",\"class\":\"java.util.Date\",\"sqlType\":\"string\"}'))\"\"\")",
    "a class by a function's type": "from pyspark.sql import functions as F\nfrom pyspark.sql.types import StringType\nclass Kind(StringType):\n    def json(self):\n        return '{\"type\":\"' + 'tdu'[::-1] + '\",\"class\":\"java.util.Date\",\"sqlType\":\"string\"}'\nresult = spark.range(1).select(F.udf(lambda x: 'a', Kind())('id'))",
    "a class by a frame's schema": "from pyspark.sql.types import StringType, StructField, StructType\nclass Kind(StringType):\n    def jsonValue(self):\n        return {'type': 'tdu'[::-1], 'class': 'java.util.Date', 'pyClass': 'os.abort', 'sqlType': 'string'}\nresult = spark.createDataFrame([('a',)], StructType([StructField('a', Kind())]))",
    "a class by a parsed type": "spark._jsparkSession.parseDataType('{\"type\":\"struct\",\"fields\":[],\"type\":\"udt\",\"class\":\"java.io.File\"} x')",
    "a file opened by an XML schema": "from pyspark.sql import functions as F\nresult = spark.range(1).select(F.from_xml(F.lit('<a/>'), 'b int', {'rowValidationXSDPath': '@SECRET@'}))",
    "a file opened by an XML schema in SQL": "result = spark.sql(\"select from_xml('<a/>', 'b int', map('rowValidationXSDPath', 'http://127.0.0.1:@PORT@/x'))\")",
    "a file opened by an XML schema in text": "result = spark.range(1).selectExpr(\"FROM_XML /**/ ('<a/>', 'b int', map('rowValidationXSDPath', 'http://127.0.0.1:@PORT@/x')) x\")",
    "a file opened by an XML schema by a hidden name": "result = spark.range(1).selectExpr(\"identifier('from' || '_xml')('<a/>', 'b int', map('rowValidationXSDPath', 'http://127.0.0.1:@PORT@/x')) x\")",
    "a file opened by an XML schema by call_function": "from pyspark.sql import functions as F\nresult = spark.range(1).select(F.call_function('From_Xml', F.lit('<a/>'), F.lit('b int'), F.expr(\"map('rowValidationXSDPath', 'http://127.0.0.1:@PORT@/x')\")))",
    "an address opened by an XML schema": "from pyspark.sql import functions as F\nresult = spark.range(1).select(F.from_xml(F.lit('<a/>'), 'b int', {'rowValidationXSDPath': 'http://127.0.0.1:@PORT@/x'}))",
}  # fmt: skip

_STATEMENTS = """
CREATE TABLE harm USING parquet AS SELECT 1 a
CREATE TABLE harm (a INT) USING csv LOCATION '@OUT@'
CREATE OR REPLACE TEMP VIEW harm USING text OPTIONS (path '@SECRET@')
CREATE OR REPLACE TEMP VIEW sales AS SELECT 1 a
CREATE DATABASE harm LOCATION '@OUT@'
CREATE TEMPORARY FUNCTION harm AS 'org.apache.hadoop.hive.ql.udf.UDFSpace' USING JAR '@JAR@'
CREATE FUNCTION harm(a INT) RETURNS INT RETURN a
INSERT OVERWRITE DIRECTORY '@OUT@' USING csv SELECT 1
INSERT OVERWRITE LOCAL DIRECTORY '@OUT@' USING csv SELECT 1
INSERT INTO sales SELECT * FROM sales
WITH a AS (SELECT 1) INSERT OVERWRITE DIRECTORY '@OUT@' USING csv SELECT * FROM a
FROM sales INSERT OVERWRITE DIRECTORY '@OUT@' USING csv SELECT *
ADD JAR '@JAR@'
ADD FILE '@SECRET@'
ADD ARCHIVE '@JAR@'
SET spark.sql.runSQLOnFiles=true
SET VAR x = 1
RESET
DROP VIEW sales
DELETE FROM sales
TRUNCATE TABLE sales
CACHE TABLE sales
LOAD DATA LOCAL INPATH '@SECRET@' INTO TABLE sales
EXECUTE IMMEDIATE 'ADD JAR ''@JAR@'''
BEGIN INSERT OVERWRITE DIRECTORY '@OUT@' USING csv SELECT 1; END
BEGIN DECLARE x INT; SET x = 1; END
EXPLAIN SELECT 1
SHOW TABLES
DESCRIBE sales
LIST JARS
USE DATABASE default
REFRESH '@OUT@'
CALL system.harm()
SELECT TRANSFORM(region) USING 'touch @OUT@' AS (x) FROM sales
FROM sales MAP region USING 'tee @OUT@' AS x
SELECT reflect('java.lang.System', 'getProperty', 'java.io.tmpdir')
SELECT java_method('java.lang.System', 'getenv', 'BLUEBEAR_UDF_SCRATCH')
SELECT try_reflect('java.lang.System', 'getProperty', 'java.io.tmpdir')
SELECT `reflect`('java.lang.System', 'getProperty', 'java.io.tmpdir')
SELECT reflect/**/('java.lang.System', 'getProperty', 'java.io.tmpdir')
SELECT identifier('ref' || 'lect')('java.lang.System', 'getProperty', 'java.io.tmpdir')
SELECT * FROM VALUES (reflect('java.lang.System', 'getProperty', 'java.io.tmpdir'))
WITH a AS (SELECT reflect('java.lang.System', 'getProperty', 'java.io.tmpdir') x) SELECT * FROM a
SELECT * FROM csv.`@SECRET@`
SELECT * FROM `text`.`@SECRET@`
SELECT * FROM parquet.`@SECRET@`
"""
SQL = {
    text: f"result = spark.sql({text!r})" for text in _STATEMENTS.strip().splitlines()
} | {
    f"{text}, said aside": f"spark.sql({text!r}).collect()"
    for text in _STATEMENTS.strip().splitlines()[35:39]
}  # fmt: skip

# Those that would spoil what is tried after them in the same process.
ALONE = frozenset({
    "the JVM's end", "the JVM halted", "the gateway shut", "the socket itself", "the descriptors",
    "another's object", "another Spark", "the session stopped", "a gateway of its own",
    "another Python for functions", "another environment for functions", "files for functions",
    "another closed door opened", "doors opened by a builder", "a process by fork", "a signal",
    "another Spark in a function", "a process, unseen by the hook", "a library loaded",
})  # fmt: skip

# In Python itself: in the driver as they stand, and inside a function that Spark runs.
PYTHON = {
    "a file read": "return open('@SECRET@').read()",
    "a file read below": "import os; return os.read(os.open('@SECRET@', os.O_RDONLY), 99).decode()",
    "a file read, by pathlib": "import pathlib; return pathlib.Path('@SECRET@').read_text()",
    "a file read, by io": "import io; return io.FileIO('@SECRET@').readall().decode()",
    "a file read, by codecs": "import codecs; return codecs.open('@SECRET@').read()",
    "a file read, by a module's loader": "import importlib.machinery as m; return m.SourceFileLoader('x', '@SECRET@').get_data('@SECRET@').decode()",
    "a file read, by numpy": "import numpy; return str(numpy.fromfile('@SECRET@', dtype='uint8').tobytes())",
    "a file read, by pandas": "import pandas; return str(list(pandas.read_csv('@SECRET@', header=None)[0]))",
    "a file read, by pyarrow": "import pyarrow; return str(pyarrow.OSFile('@SECRET@').read())",
    "a file read, by memory mapping": "import mmap; return mmap.mmap(open('@SECRET@').fileno(), 0, prot=mmap.PROT_READ).read().decode()",
    "a file read, by linecache": "import linecache; assert linecache.getline('@SECRET@', 1); return linecache.getline('@SECRET@', 1)",
    "a file written": "open('@OUT@', 'w').write('x')",
    "a file written below": "import os; os.write(os.open('@OUT@', os.O_CREAT | os.O_WRONLY), b'x')",
    "a file written, by pandas": "import pandas; pandas.DataFrame({'a': [1]}).to_csv('@OUT@')",
    "a file written, by pickle": "import pandas; pandas.DataFrame({'a': [1]}).to_pickle('@OUT@')",
    "a file written, by numpy": "import numpy; numpy.save('@OUT@', [1])",
    "a file written, by pyarrow": "import pyarrow; pyarrow.OSFile('@OUT@', 'wb').write(b'x')",
    "a database written": "import sqlite3; sqlite3.connect('@OUT@').execute('create table t (a)')",
    "a folder made": "import os; os.mkdir('@OUT@')",
    "a file removed": "import os; os.remove('@SECRET@')",
    "a file moved": "import os; os.rename('@SECRET@', '@OUT@')",
    "a link to it": "import os; os.link('@SECRET@', 'here'); return open('here').read()",
    "a symbolic link to it": "import os; os.symlink('@SECRET@', 'there'); return open('there').read()",
    "its folder listed": "import os; return str(os.listdir(os.path.dirname('@SECRET@')))",
    "a process": "import subprocess; subprocess.run(['touch', '@OUT@'])",
    "a process by a shell": "import os; os.system('touch @OUT@')",
    "a process by popen": "import os; os.popen('touch @OUT@').read()",
    "a process by exec": "import os; os.execv('/usr/bin/touch', ['touch', '@OUT@'])",
    "a process by spawn": "import os; os.posix_spawn('/usr/bin/touch', ['touch', '@OUT@'], {})",
    "a process by fork": "import os\nif os.fork() == 0:\n    os._exit(0)",
    "a process by multiprocessing": "import multiprocessing as m; p = m.get_context('spawn').Process(target=print); p.start()",
    "a process, unseen by the hook": "import sys, subprocess; sys.audit = lambda *a: None; subprocess.run(['/usr/bin/touch', '@OUT@'], check=True)",
    "native code": "import ctypes; return str(ctypes.CDLL(None).getppid())",
    "native code in memory": "import ctypes; return str(ctypes.string_at(id(0), 8))",
    "a socket": "import socket; socket.create_connection(('127.0.0.1', @PORT@))",
    "a socket without a name": "import socket; s = socket.socket(); s.connect(('127.0.0.1', @PORT@))",
    "a datagram": "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'x', ('127.0.0.1', @PORT@))",
    "a socket that is a file": "import socket; s = socket.socket(socket.AF_UNIX); s.connect('@SOCK@')",
    "an address fetched": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:@PORT@/')",
    "a host looked up": "import socket; socket.gethostbyname('example.com')",
    "a port listened at": "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()",
    "another's environment": "import os; return open('/proc/%d/environ' % os.getppid()).read()",
    "another's memory": "import os; return str(open('/proc/%d/mem' % os.getppid(), 'rb').read(1))",
    "a signal": "import os, signal; os.kill(os.getppid(), signal.SIGTERM)",
    "the limits lifted": "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))",
    "a library loaded": "import sys; sys.modules.pop('_ctypes', None); import ctypes; ctypes.CDLL('libc.so.6')",
    "another Spark in a function": "from pyspark import SparkContext; SparkContext._active_spark_context = None; SparkContext._gateway = None; SparkContext('local')",
    "an evaluated import": "return eval(\"__import__('os').popen('cat @SECRET@').read()\")",
    "a way through subclasses": "return [c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '_wrap_close'][0].__init__.__globals__['popen']('cat @SECRET@').read()",
    "a way through loaders": "return str([c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'FileLoader'][0]('x', '@SECRET@').get_data('@SECRET@'))",
    "the hook undone": "import sys, gc; [gc.get_referrers(f) for f in ()]; sys.addaudithook(lambda *a: None); return open('@SECRET@').read()",
    "a pickle": "import pickle; return pickle.loads(b\"cos\\nsystem\\n(S'touch @OUT@'\\ntR.\")",
}  # fmt: skip
