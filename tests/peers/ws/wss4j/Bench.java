// SPDX-License-Identifier: GPL-2.0-or-later
// What translating a token costs in Java, in one warmed-up thread; usage: bench.sh.

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.keyinfo.X509Data;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.ws.security.WSPasswordCallback;
import org.apache.ws.security.WSSConfig;
import org.apache.ws.security.WSSecurityEngine;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

public class Bench {
    // all that can be made once is made once
    final DocumentBuilder builder;
    final Transformer transformer;
    final XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
    final WSSecurityEngine engine = new WSSecurityEngine();
    final CallbackHandler passwords;
    final X509Certificate certificate;
    final PublicKey publicKey;
    final PrivateKey privateKey;
    final byte[] message;

    Bench(String messagePath, String keyPath, String password) throws Exception {
        DocumentBuilderFactory builders = DocumentBuilderFactory.newInstance();
        builders.setNamespaceAware(true);
        builders.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        builder = builders.newDocumentBuilder();
        transformer = TransformerFactory.newInstance().newTransformer();
        transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
        WSSConfig config = WSSConfig.getNewInstance();
        config.setWsiBSPCompliant(false);
        engine.setWssConfig(config);
        passwords = callbacks -> {
            for (Callback callback : callbacks)
                ((WSPasswordCallback) callback).setPassword(password);
        };
        certificate = Wss.certificates(keyPath)[0];
        publicKey = certificate.getPublicKey();
        privateKey = KeyFactory.getInstance(publicKey.getAlgorithm())
                         .generatePrivate(new PKCS8EncodedKeySpec(Wss.pem(keyPath, "PRIVATE KEY").get(0)));
        message = Files.readAllBytes(Paths.get(messagePath));
    }

    static Element find(Node node) {
        for (Element child : Wss.children(node)) {
            Element found = Wss.isAssertion(child) ? child : find(child);
            if (found != null)
                return found;
        }
        return null;
    }

    static Element child(Node parent, String namespace, String name) {
        for (Element child : Wss.children(parent))
            if (Wss.is(child, namespace, name))
                return child;
        throw new IllegalStateException("no " + name);
    }

    /** Verifies its signature with the key that is known, and gives what it says of the subject. */
    String verify(Element assertion) throws Exception {
        assertion.setIdAttribute("AssertionID", true);
        DOMValidateContext context = new DOMValidateContext(publicKey, child(assertion, Wss.DS, "Signature"));
        context.setProperty("org.jcp.xml.dsig.secureValidation", true);
        if (!factory.unmarshalXMLSignature(context).validate(context))
            throw new IllegalStateException("the signature does not hold");
        Element statement = child(assertion, Wss.SAML1, "AttributeStatement");
        return child(statement, Wss.SAML1, "Attribute").getTextContent();
    }

    static Element add(Element parent, String name, String text) {
        Element child = parent.getOwnerDocument().createElementNS(Wss.SAML2, "saml:" + name);
        parent.appendChild(child);
        if (text != null)
            child.setTextContent(text);
        return child;
    }

    /** A SAML 2.0 assertion with the attributes of the SAML 1.1 assertion. */
    Element write(Element from, String subject) {
        String now = Instant.now().toString(), id = "_" + UUID.randomUUID();
        Document document = builder.newDocument();
        Element assertion = document.createElementNS(Wss.SAML2, "saml:Assertion");
        document.appendChild(assertion);
        assertion.setAttributeNS(Wss.XMLNS, "xmlns:saml", Wss.SAML2);
        assertion.setAttribute("ID", id);
        assertion.setIdAttribute("ID", true);
        assertion.setAttribute("IssueInstant", now);
        assertion.setAttribute("Version", "2.0");
        add(assertion, "Issuer", from.getAttribute("Issuer"));
        Element who = add(assertion, "Subject", null);
        add(who, "NameID", subject);
        Element confirmation = add(who, "SubjectConfirmation", null);
        confirmation.setAttribute("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer");
        add(confirmation, "SubjectConfirmationData", null).setAttribute("NotOnOrAfter", now);
        Element conditions = add(assertion, "Conditions", null);
        conditions.setAttribute("NotBefore", now);
        conditions.setAttribute("NotOnOrAfter", now);
        add(add(conditions, "AudienceRestriction", null), "Audience", "urn:app");
        Element statement = add(assertion, "AuthnStatement", null);
        statement.setAttribute("AuthnInstant", now);
        add(add(statement, "AuthnContext", null), "AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport");
        Element attributes = add(assertion, "AttributeStatement", null);
        for (Element old : Wss.children(child(from, Wss.SAML1, "AttributeStatement")))
            if (Wss.is(old, Wss.SAML1, "Attribute")) {
                Element attribute = add(attributes, "Attribute", null);
                attribute.setAttribute("Name", old.getAttribute("AttributeNamespace") + "/" + old.getAttribute("AttributeName"));
                for (Element value : Wss.children(old))
                    add(attribute, "AttributeValue", value.getTextContent());
            }
        return assertion;
    }

    void sign(Element assertion) throws Exception {
        Reference reference = factory.newReference("#" + assertion.getAttribute("ID"), factory.newDigestMethod(DigestMethod.SHA256, null),
            Arrays.asList(factory.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null),
                factory.newTransform(CanonicalizationMethod.EXCLUSIVE, (TransformParameterSpec) null)), null, null);
        String method = publicKey.getAlgorithm().equals("EC") ? "ecdsa-sha256" : "rsa-sha256";
        SignedInfo info = factory.newSignedInfo(factory.newCanonicalizationMethod(CanonicalizationMethod.EXCLUSIVE, (C14NMethodParameterSpec) null),
            factory.newSignatureMethod(Wss.MORE + method, null), Collections.singletonList(reference));
        KeyInfoFactory keys = factory.getKeyInfoFactory();
        DOMSignContext context = new DOMSignContext(privateKey, assertion, child(assertion, Wss.SAML2, "Subject"));
        context.setDefaultNamespacePrefix("ds");
        List<X509Data> data = Collections.singletonList(keys.newX509Data(Collections.singletonList(certificate)));
        factory.newXMLSignature(info, keys.newKeyInfo(data)).sign(context);
    }

    byte[] serialize(Element element) throws Exception {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream(8192);
        transformer.transform(new DOMSource(element), new StreamResult(out));
        return out.toByteArray();
    }

    /** From the request's bytes to the new assertion's. */
    int translate(boolean withHeader) throws Exception {
        Document document = builder.parse(new java.io.ByteArrayInputStream(message));
        if (withHeader && engine.processSecurityHeader(document, null, passwords, null) == null)
            throw new IllegalStateException("no Security header");
        Element from = find(document), assertion = write(from, verify(from));
        sign(assertion);
        return serialize(assertion).length;
    }

    double measure(boolean withHeader, double seconds) throws Exception {
        com.sun.management.OperatingSystemMXBean system =
            (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long start = system.getProcessCpuTime(), end = start + (long) (seconds * 1e9), count = 0, sum = 0, now;
        do {
            for (int i = 0; i < 50; i++)
                sum += translate(withHeader);
            count += 50;
        } while ((now = system.getProcessCpuTime()) < end);
        if (sum == 0)
            throw new IllegalStateException("nothing was written");
        return (now - start) / 1e3 / count;
    }

    public static void main(String[] arguments) throws Exception {
        WSSConfig.init();
        Bench bench = new Bench(arguments[0], arguments[1], arguments[2]);
        double seconds = Double.parseDouble(arguments[3]);
        for (boolean withHeader : new boolean[] {false, true}) {
            bench.measure(withHeader, 2 * seconds); // warms up
            System.out.printf("%s %.1f%n", withHeader ? "java-message" : "java-bare", bench.measure(withHeader, seconds));
        }
    }
}
